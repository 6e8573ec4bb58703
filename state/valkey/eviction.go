package valkey

import (
	"context"
	"strings"
)

// Eviction is what the server does when its memory is full (maxmemory-policy), such
// as noeviction, or nothing: it need not let us ask.
func (s *Server) Eviction(ctx context.Context) string {
	const name = "maxmemory_policy:"
	text, err := s.client.Info(ctx, "memory").Result()
	if err != nil {
		return ""
	}
	for line := range strings.Lines(text) {
		if policy, ok := strings.CutPrefix(line, name); ok {
			return strings.TrimSpace(policy)
		}
	}
	return ""
}
