package valkey

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// A set holds the names of records that belong together, such as the sessions of
// one person. It may name what is no longer there.

const (
	// atOnce is how many names are asked for with one round trip.
	atOnce = 500
	// mostMembers bounds what one set is believed to hold, and mostNames how many
	// records of a kind there are: ten times what one Rolepass was measured with.
	mostMembers, mostNames = 10_000, 1_000_000
)

// ErrMany says that there is more of something than Rolepass puts there.
var ErrMany = errors.New("the state's server has more members of a set, or more names, than Rolepass puts there")

// Join puts a member into a set, which lives for so long from now on.
func (s *Server) Join(ctx context.Context, set, member string, life time.Duration) error {
	key := s.key(set)
	_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.SAdd(ctx, key, member)
		p.PExpire(ctx, key, max(life, briefly))
		return nil
	})
	return s.told("sadd", err)
}

// Leave takes members out of a set.
func (s *Server) Leave(ctx context.Context, set string, members []string) error {
	if len(members) == 0 {
		return nil
	}
	all := make([]any, len(members))
	for i, member := range members {
		all[i] = member
	}
	return s.told("srem", s.client.SRem(ctx, s.key(set), all...).Err())
}

// Members are those of a set.
func (s *Server) Members(ctx context.Context, set string) (all []string, err error) {
	key := s.key(set)
	for cursor := uint64(0); ; {
		var some []string
		some, cursor, err = s.client.SScan(ctx, key, cursor, "", atOnce).Result()
		if err != nil {
			return nil, s.told("sscan", err)
		}
		if all = append(all, some...); len(all) > mostMembers {
			return nil, ErrMany
		}
		if cursor == 0 {
			return all, nil
		}
	}
}

// Records gives the records of some names, nil for each that is not there.
func (s *Server) Records(ctx context.Context, names []string) ([][]byte, error) {
	records := make([][]byte, 0, len(names))
	for len(names) > 0 {
		some := names[:min(len(names), atOnce)]
		names = names[len(some):]
		asked := make([]*redis.StringCmd, 0, len(some))
		_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, key := range s.keys(some) {
				asked = append(asked, p.GetRange(ctx, key, 0, longest))
			}
			return nil
		})
		if err != nil {
			return nil, s.told("getrange", err)
		}
		for _, one := range asked {
			record, _ := one.Bytes()
			if !ours(record) {
				record = nil
			}
			records = append(records, record)
		}
	}
	return records, nil
}

// Names are those of all records of a kind whose names end in a hash. It looks at
// every key of the server, some hundred at a time.
func (s *Server) Names(ctx context.Context, kind string) ([]string, error) {
	seen := map[string]bool{} // the server may give one twice
	for cursor := uint64(0); ; {
		keys, next, err := s.client.Scan(ctx, cursor, s.prefix+kind+":*", 2*atOnce).Result()
		if err != nil {
			return nil, s.told("scan", err)
		}
		for _, key := range keys {
			if name, ok := s.name(key); ok {
				seen[name] = true
			}
		}
		if len(seen) > mostNames {
			return nil, ErrMany
		}
		if cursor = next; cursor == 0 {
			break
		}
	}
	names := make([]string, 0, len(seen))
	for name := range seen {
		names = append(names, name)
	}
	return names, nil
}
