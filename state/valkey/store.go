package valkey

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/redis/go-redis/v9"

	"github.com/rolepass/rolepass/state"
)

// longest is how many bytes of a record are read. Ours have some thousand; a
// longer one is not ours.
const longest = 64 << 10

var errLong = errors.New("the record is empty or longer than what is read from the state's server")

// briefly is the shortest life of a record: the server takes no shorter one.
const briefly = time.Millisecond

func (s *Server) life(expires time.Time) time.Duration {
	return max(expires.Sub(s.now()), briefly)
}

// Put keeps a record, in place of one with the same name.
func (s *Server) Put(ctx context.Context, name string, record []byte, expires time.Time) error {
	if !ours(record) {
		return errLong
	}
	return s.told("set", s.client.Set(ctx, s.key(name), record, s.life(expires)).Err())
}

// Replace is Put for a name that is there, and state.ErrNotFound otherwise.
func (s *Server) Replace(ctx context.Context, name string, record []byte, expires time.Time) error {
	if !ours(record) {
		return errLong
	}
	err := s.client.SetArgs(ctx, s.key(name), record, redis.SetArgs{Mode: "XX", TTL: s.life(expires)}).Err()
	if errors.Is(err, redis.Nil) {
		return state.ErrNotFound
	}
	return s.told("set", err)
}

// Get gives a record, or state.ErrNotFound.
func (s *Server) Get(ctx context.Context, name string) ([]byte, error) {
	record, err := s.client.GetRange(ctx, s.key(name), 0, longest).Bytes()
	if err != nil {
		return nil, s.told("getrange", err)
	}
	if !ours(record) {
		return nil, state.ErrNotFound
	}
	return record, nil
}

// ours says whether a record may be one. The server gives an empty one for what is
// not there.
func ours(record []byte) bool { return len(record) > 0 && len(record) <= longest }

// Delete forgets a record.
func (s *Server) Delete(ctx context.Context, name string) error {
	_, err := s.Take(ctx, name)
	return err
}

// Take is Delete that says whether the record was there. Of concurrent callers one
// is told so.
func (s *Server) Take(ctx context.Context, name string) (bool, error) {
	n, err := s.client.Del(ctx, s.key(name)).Result()
	return n > 0, s.told("del", err)
}

// Use reports whether this is the first use of a name.
func (s *Server) Use(ctx context.Context, name string, expires time.Time) (bool, error) {
	err := s.client.SetArgs(ctx, s.key("used:"+name), "1", redis.SetArgs{Mode: "NX", TTL: s.life(expires)}).Err()
	if errors.Is(err, redis.Nil) {
		return false, nil
	}
	return err == nil, s.told("set", err)
}

// told is an error of the server's, or on the way to it, and says which command
// failed.
func (s *Server) told(command string, err error) error {
	if err == nil {
		return nil
	}
	if !errors.Is(err, context.Canceled) { // who asked has left, which is no fault of the server's
		s.failed()
	}
	if said, ok := errors.AsType[redis.Error](err); ok {
		err = errors.New(plain(said.Error()))
	}
	return fmt.Errorf("%s at the state's server: %w", command, err)
}

// mostSaid is how much of an error of the server's is repeated.
const mostSaid = 300

// plain is what a server said, for logs and terminals, without what we had said: it
// answers with the words of a command that it does not know, and those of AUTH are the
// password.
func plain(said string) string {
	said, _, _ = strings.Cut(said, ", with args")
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, said[:min(len(said), mostSaid)])
}

var (
	_ state.Store = (*Server)(nil)
	_ state.Once  = (*Server)(nil)
)
