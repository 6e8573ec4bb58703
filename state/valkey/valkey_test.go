package valkey_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolepass/rolepass/e2e/valkeytest"
	"github.com/rolepass/rolepass/state"
	"github.com/rolepass/rolepass/state/valkey"
)

const id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func soon() time.Time { return time.Now().Add(time.Hour) }

func TestRecordsAreKept(t *testing.T) {
	s := valkeytest.Start(t).Open(valkey.Options{Prefix: "rolepass:"})
	get := func() string {
		record, err := s.Get(t.Context(), "session:"+id)
		if err != nil && !errors.Is(err, state.ErrNotFound) {
			t.Fatal(err)
		}
		return string(record)
	}
	if err := s.Replace(t.Context(), "session:"+id, []byte("zero"), soon()); !errors.Is(err, state.ErrNotFound) || get() != "" {
		t.Errorf("replaced what is not there: %v, %q", err, get())
	}
	if err := s.Put(t.Context(), "session:"+id, []byte("one\x00\r\n"), soon()); err != nil || get() != "one\x00\r\n" {
		t.Errorf("put: %v, %q", err, get())
	}
	if err := s.Replace(t.Context(), "session:"+id, []byte("two"), soon()); err != nil || get() != "two" {
		t.Errorf("replaced: %v, %q", err, get())
	}
	if was, err := s.Take(t.Context(), "session:"+id); err != nil || !was || get() != "" {
		t.Errorf("taken: %v, %v, %q", was, err, get())
	}
	if was, err := s.Take(t.Context(), "session:"+id); err != nil || was {
		t.Errorf("taken twice: %v", err)
	}
	if err := s.Delete(t.Context(), "session:"+id); err != nil {
		t.Errorf("what is not there is deleted: %v", err)
	}
}

// Lives are lengths: they are right whatever the time is here and there, and what
// has ended already is not kept for ever.
func TestARecordHasALife(t *testing.T) {
	server := valkeytest.Start(t)
	at := time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)
	s := server.Open(valkey.Options{Prefix: "p:", Now: func() time.Time { return at }})
	for name, put := range map[string]func(string, time.Time) error{
		"put": func(name string, ends time.Time) error { return s.Put(t.Context(), name, []byte("x"), ends) },
		"replaced": func(name string, ends time.Time) error {
			if err := s.Put(t.Context(), name, []byte("x"), at.Add(time.Minute)); err != nil {
				return err
			}
			return s.Replace(t.Context(), name, []byte("x"), ends)
		},
		"used":   func(name string, ends time.Time) error { _, err := s.Use(t.Context(), name, ends); return err },
		"joined": func(name string, ends time.Time) error { return s.Join(t.Context(), name, "member", ends.Sub(at)) },
	} {
		if err := errors.Join(server.Client.FlushDB(t.Context()).Err(), put(name+":long", at.Add(time.Hour))); err != nil {
			t.Fatal(err)
		}
		for _, key := range server.Client.Keys(t.Context(), "p:*").Val() {
			if left := server.Client.PTTL(t.Context(), key).Val(); left < 59*time.Minute || left > time.Hour {
				t.Errorf("%s: %v left of %s", name, left, key)
			}
		}
		if err := errors.Join(server.Client.FlushDB(t.Context()).Err(), put(name+":over", at.Add(-time.Hour))); err != nil {
			t.Fatalf("%s, with its end gone: %v", name, err)
		}
		for _, key := range server.Client.Keys(t.Context(), "p:*").Val() {
			if left := server.Client.PTTL(t.Context(), key).Val(); left == -1 || left > 10*time.Millisecond { // -2: it has gone
				t.Errorf("%s: %v left of %s, which has ended", name, left, key)
			}
		}
	}
}

// Of many at once, on two replicas, one is first.
func TestANameIsUsedOnceByAll(t *testing.T) {
	server := valkeytest.Start(t)
	replicas := []*valkey.Server{server.Open(valkey.Options{Prefix: "rolepass:"}), server.Open(valkey.Options{Prefix: "rolepass:"})}
	firsts := make(chan bool, 40)
	var all sync.WaitGroup
	for i := range cap(firsts) {
		all.Go(func() {
			first, err := replicas[i%2].Use(t.Context(), "assertion:17:https://idp.test:_1", soon())
			if err != nil {
				t.Error(err)
			}
			firsts <- first
		})
	}
	all.Wait()
	close(firsts)
	n := 0
	for first := range firsts {
		if first {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d were first", n)
	}
}

// A name that says something is hashed, and two deployments on one server have
// nothing in common.
func TestNamesOnTheServer(t *testing.T) {
	server := valkeytest.Start(t)
	s, other := server.Open(valkey.Options{Prefix: "one:"}), server.Open(valkey.Options{Prefix: "two:"})
	for _, name := range []string{"session:" + id, "credentials:" + id + ":0:arn:aws:iam::111122223333:role/radiology", "credentials:" + id + ":1:arn:aws:iam::111122223333:role/radiology"} {
		if err := s.Put(t.Context(), name, []byte(name), soon()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Use(t.Context(), "assertion:17:https://idp.test:_1", soon()); err != nil {
		t.Fatal(err)
	}
	keys := server.Client.Keys(t.Context(), "*").Val()
	if len(keys) != 4 || !slices.Contains(keys, "one:session:"+id) {
		t.Errorf("the keys are %q", keys)
	}
	for _, key := range keys {
		if strings.Contains(key, "radiology") || strings.Contains(key, "idp.test") {
			t.Errorf("%s says something", key)
		}
	}
	if _, err := other.Get(t.Context(), "session:"+id); !errors.Is(err, state.ErrNotFound) {
		t.Errorf("the other deployment has it: %v", err)
	}
	if names, err := s.Names(t.Context(), "session"); err != nil || !slices.Equal(names, []string{"session:" + id}) {
		t.Errorf("the names are %q, %v", names, err)
	}
	if names, err := other.Names(t.Context(), "session"); err != nil || len(names) != 0 {
		t.Errorf("the other deployment's names are %q, %v", names, err)
	}
}

// Lists are whole, however long, and say what is missing.
func TestALongListIsWhole(t *testing.T) {
	s := valkeytest.Start(t).Open(valkey.Options{Prefix: "rolepass:"})
	var names []string
	for i := range 1234 {
		name := fmt.Sprintf("listed:%064x", i)
		if names = append(names, name); i%3 == 0 {
			continue
		}
		if err := errors.Join(s.Put(t.Context(), name, []byte(name), soon()), s.Join(t.Context(), "theirs:ada", name, time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	records, err := s.Records(t.Context(), names)
	if err != nil || len(records) != len(names) {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for i, record := range records {
		if want := names[i]; i%3 == 0 && record != nil || i%3 != 0 && string(record) != want {
			t.Fatalf("record %d is %q", i, record)
		}
	}
	there := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return records[slices.Index(names, name)] == nil })
	listed, err := s.Names(t.Context(), "listed")
	if slices.Sort(listed); err != nil || !slices.Equal(listed, there) {
		t.Errorf("%d names are there, want %d, %v", len(listed), len(there), err)
	}
	if err := s.Leave(t.Context(), "theirs:ada", there[:600]); err != nil {
		t.Fatal(err)
	}
	members, err := s.Members(t.Context(), "theirs:ada")
	if slices.Sort(members); err != nil || !slices.Equal(members, there[len(there)-222:]) {
		t.Errorf("%d members are left, want %d, %v", len(members), len(there)-600, err)
	}
}

// Whoever writes to the server can make nobody read without end.
func TestWhatIsNotOursIsNotRead(t *testing.T) {
	server := valkeytest.Start(t)
	s := server.Open(valkey.Options{Prefix: "rolepass:"})
	if err := server.Client.Set(t.Context(), "rolepass:session:"+id, strings.Repeat("x", 64<<20), 0).Err(); err != nil {
		t.Fatal(err)
	}
	if record, err := s.Get(t.Context(), "session:"+id); !errors.Is(err, state.ErrNotFound) {
		t.Errorf("%d bytes, %v", len(record), err)
	}
	if records, err := s.Records(t.Context(), []string{"session:" + id}); err != nil || records[0] != nil {
		t.Errorf("records: %v", err)
	}
	members := make([]any, 20_000)
	for i := range members {
		members[i] = i
	}
	if err := server.Client.SAdd(t.Context(), "rolepass:theirs:"+id, members...).Err(); err != nil {
		t.Fatal(err)
	}
	if all, err := s.Members(t.Context(), "theirs:"+id); !errors.Is(err, valkey.ErrMany) {
		t.Errorf("%d members, %v", len(all), err)
	}
	if err := server.Client.Set(t.Context(), "rolepass:theirs:"+strings.Repeat("a", 64), "no set", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Members(t.Context(), "theirs:"+strings.Repeat("a", 64)); err == nil || strings.Contains(err.Error(), "no set") {
		t.Errorf("what is no set: %v", err)
	}
}

// What would not be read is not kept: whoever put it would believe that it is there.
func TestWhatIsTooLongIsNotKept(t *testing.T) {
	server := valkeytest.Start(t)
	s := server.Open(valkey.Options{Prefix: "rolepass:"})
	long := make([]byte, 64<<10)
	if err := s.Put(t.Context(), "session:"+id, long, soon()); err != nil {
		t.Fatal(err)
	}
	long = append(long, 0)
	if err := s.Replace(t.Context(), "session:"+id, long, soon()); err == nil || errors.Is(err, state.ErrNotFound) {
		t.Errorf("replaced: %v", err)
	}
	if record, err := s.Get(t.Context(), "session:"+id); len(record) != 64<<10 {
		t.Errorf("%d bytes are there, %v", len(record), err)
	}
	if err := s.Put(t.Context(), "session:"+id, long, soon()); err == nil {
		t.Error("put")
	}
}

// A server that has gone, or hangs, is an error within the caller's time, never
// that there is nothing; and it is used again when it is back.
func TestAServerThatDoesNotAnswer(t *testing.T) {
	server := valkeytest.Start(t)
	failed := 0
	s := server.Open(valkey.Options{Prefix: "rolepass:", Failed: func() { failed++ }})
	if err := s.Put(t.Context(), "session:"+id, []byte("x"), soon()); err != nil || failed != 0 {
		t.Fatal(err, failed)
	}
	server.Kill()
	if _, err := s.Get(t.Context(), "session:"+id); err == nil || errors.Is(err, state.ErrNotFound) {
		t.Errorf("from a server that has gone: %v", err)
	}
	if first, err := s.Use(t.Context(), "assertion:1", soon()); err == nil || first {
		t.Errorf("first use, by a server that has gone: %v, %v", first, err)
	}
	if failed != 2 {
		t.Errorf("%d failures were counted", failed)
	}
	server.Run()
	if first, err := s.Use(t.Context(), "assertion:2", soon()); err != nil || !first {
		t.Errorf("the server is back: %v, %v", first, err)
	}
	hangs := valkey.Open(valkey.Options{Network: "unix", Address: silent(t), Prefix: "rolepass:"})
	defer hangs.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := hangs.Get(ctx, "session:"+id)
	if took := time.Since(began); err == nil || errors.Is(err, state.ErrNotFound) || took > 5*time.Second {
		t.Errorf("a server that hangs: %v after %v", err, took)
	}
}

// silent is a socket that is listened on, and nobody reads.
func silent(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return path
}

// A server without AUTH, as some that are rented, repeats the words of what it does
// not know.
func TestNoErrorShowsThePassword(t *testing.T) {
	server := valkeytest.Start(t, "--rename-command", "AUTH", "")
	for _, user := range []string{"", "rolepass"} {
		s := server.Open(valkey.Options{Prefix: "rolepass:", User: user, Password: "canary-password"})
		for name, err := range map[string]error{
			"put":   s.Put(t.Context(), "session:"+id, []byte("canary-record"), soon()),
			"names": func() error { _, err := s.Names(t.Context(), "session"); return err }(),
		} {
			if user != "" && err == nil || err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("%s as %q: %v", name, user, err)
			}
		}
	}
}

func TestOptionsShowNoPassword(t *testing.T) {
	o := valkey.Options{Network: "tcp", Address: "valkey.internal:6379", User: "rolepass", Password: "canary-password"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if text := fmt.Sprintf(verb, o); strings.Contains(text, "canary") {
			t.Errorf("%s: %s", verb, text)
		}
	}
}
