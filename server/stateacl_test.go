package server

import (
	"context"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/e2e/valkeytest"
)

// documentedACL is the command of docs/state.md, in words.
func documentedACL(t *testing.T) []string {
	t.Helper()
	page, err := os.ReadFile("../docs/state.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^ACL SETUSER rolepass .*$`).FindAllString(string(page), -1)
	if len(found) != 1 {
		t.Fatalf("docs/state.md has %d users", len(found))
	}
	return strings.Fields(strings.Replace(found[0], ">PASSWORD", ">password", 1))
}

// everyCall does once what Rolepass asks of the state's server.
func everyCall(ctx context.Context, s *valkeytest.Server, prefix string) error {
	server := openValkey(config.Valkey{Network: "unix", Address: s.Socket, User: "rolepass", Password: "password", Prefix: prefix}, time.Now, func() {})
	defer server.Close()
	soon, record, failed := time.Now().Add(time.Minute), []byte("record"), []error{server.Ping(ctx)}
	does := func(err error) { failed = append(failed, err) }
	does(server.Put(ctx, "session:x", record, soon))
	does(server.Replace(ctx, "session:x", record, soon))
	_, err := server.Get(ctx, "session:x")
	does(err)
	_, err = server.Take(ctx, "session:x")
	does(err)
	_, err = server.Use(ctx, "assertion:x", soon)
	does(err)
	does(server.Join(ctx, "theirs:x", "member", time.Minute))
	_, err = server.Members(ctx, "theirs:x")
	does(err)
	_, err = server.Records(ctx, []string{"listed:x"})
	does(err)
	_, err = server.Names(ctx, "listed")
	does(err)
	does(server.Leave(ctx, "theirs:x", []string{"member"}))
	return errors.Join(failed...)
}

// TestTheACLOfTheDocumentIsEnough for all that Rolepass asks of the state's server
// below its prefix, and each of its words is needed.
func TestTheACLOfTheDocumentIsEnough(t *testing.T) {
	s := valkeytest.Start(t)
	become := func(words []string) {
		told(t, s, "ACL", "DELUSER", "rolepass")
		command := make([]any, len(words))
		for i, word := range words {
			command[i] = word
		}
		told(t, s, command...)
	}
	user := documentedACL(t)
	become(user)
	if err := everyCall(t.Context(), s, "rolepass:"); err != nil {
		t.Errorf("%s: %v", strings.Join(user, " "), err)
	}
	if note, err := asked(t, config.Valkey{Network: "unix", Address: s.Socket, User: "rolepass", Password: "password"}); err != nil {
		t.Errorf("the doctor: %q, %v", note, err)
	}
	if err := everyCall(t.Context(), s, "others:"); err == nil || !strings.Contains(err.Error(), "NOPERM") {
		t.Errorf("below another prefix: %v", err)
	}
	tried := 0
	for i, word := range user {
		if !strings.HasPrefix(word, "+") {
			continue
		}
		tried++
		become(slices.Delete(slices.Clone(user), i, i+1))
		if err := everyCall(t.Context(), s, "rolepass:"); err == nil || !strings.Contains(err.Error(), "NOPERM") {
			t.Errorf("without %s: %v", word, err)
		}
	}
	if tried < 5 {
		t.Errorf("%d words were tried", tried)
	}
}
