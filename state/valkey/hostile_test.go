package valkey_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"github.com/rolepass/rolepass/state/valkey"
)

// hostile is what answers in the server's place, as it likes.
func hostile(t *testing.T, answer func() string) *valkey.Server {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go answers(c, answer)
		}
	}()
	s := valkey.Open(valkey.Options{Network: "unix", Address: path, Prefix: "rolepass:"})
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// answers reads commands, and lets the client believe that it is an old server.
func answers(c net.Conn, answer func() string) {
	defer c.Close()
	for r := bufio.NewReader(c); ; {
		name, err := command(r)
		if err != nil {
			return
		}
		say := "-ERR unknown command\r\n"
		if !strings.EqualFold(name, "hello") {
			say = answer()
		}
		if _, err := io.WriteString(c, say); err != nil {
			return
		}
	}
}

// command reads one, and gives its name.
func command(r *bufio.Reader) (name string, err error) {
	var words int
	_, err = fmt.Fscanf(r, "*%d\r\n", &words)
	for i := 0; i < words && err == nil; i++ {
		var length int
		if _, err = fmt.Fscanf(r, "$%d\r\n", &length); err != nil {
			break
		}
		word := make([]byte, length+2)
		if _, err = io.ReadFull(r, word); i == 0 {
			name = string(word[:length])
		}
	}
	return name, err
}

// A list that never ends takes neither all memory nor all time.
func TestAListThatNeverEndsIsGivenUp(t *testing.T) {
	var n atomic.Int64
	more := hostile(t, func() string {
		var page strings.Builder
		fmt.Fprint(&page, "*2\r\n$1\r\n7\r\n*5000\r\n")
		for range 5000 {
			fmt.Fprintf(&page, "$80\r\nrolepass:listed:%064x\r\n", n.Add(1))
		}
		return page.String()
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if names, err := more.Names(ctx, "listed"); !errors.Is(err, valkey.ErrMany) {
		t.Errorf("%d names, %v", len(names), err)
	}
	if members, err := more.Members(ctx, "theirs:"+id); !errors.Is(err, valkey.ErrMany) {
		t.Errorf("%d members, %v", len(members), err)
	}
}

// What a server says stands in logs, and on an operator's terminal.
func TestWhatAServerSaysIsShortAndPlain(t *testing.T) {
	s := hostile(t, func() string { return "-ERR \x1b]0;owned\a\x1b[2J" + strings.Repeat("x", 1<<20) + "\r\n" })
	_, err := s.Get(t.Context(), "session:"+id)
	if err == nil || len(err.Error()) > 500 || strings.ContainsFunc(err.Error(), unicode.IsControl) {
		t.Errorf("%.600q", err)
	}
}
