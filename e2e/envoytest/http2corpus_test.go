package envoytest_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"golang.org/x/sync/errgroup"
)

// http2Targets are the corpus, and what would end a line of HTTP/1.1.
func http2Targets() []string {
	return append(targets(), "/a\r\nHost: evil.test", "/a\nb", "/a HTTP/1.1", "/a\x00b", "/tasks/7/resolve/?fileuri=x HTTP/1.1\r\nX: y", "/\xc3\xa4", "/a\x85b", "/\xed\xa0\x80")
}

// The same over HTTP/2. Envoy takes a second to end a broken connection, so many
// are asked at once, and each says by its Accept which one it is.
func TestUpstreamAndCheckAgreeOnEveryTargetOfHTTP2(t *testing.T) {
	app := newLineServer(t)
	r := newRig(t, func(r *rig) { r.settings.AppURL.Host = app.address })
	judged := newJudged(r.check)
	all := http2Targets()
	statuses := make([]string, len(all))
	var group errgroup.Group
	group.SetLimit(128)
	for i, target := range all {
		group.Go(func() error {
			statuses[i] = r.http2(":method", "GET", ":scheme", "http", ":authority", publicHost, ":path", target, "accept", number(i))
			return nil
		})
	}
	_ = group.Wait()
	agreed, refused := 0, 0
	for i, target := range all {
		lines, paths := app.accepting(number(i)), judged.of(number(i))
		switch {
		case statuses[i] != "200" && len(lines) == 0:
			refused++
		case statuses[i] == "200" && len(lines) == 1 && len(paths) == 1 && paths[0] == target && lines[0] == "GET "+target+" HTTP/1.1":
			agreed++
		default:
			t.Errorf("%q: %s; Check judged %q, the application got %q", target, statuses[i], paths, lines)
		}
	}
	t.Logf("%d targets: %d agreed, %d refused by Envoy", len(all), agreed, refused)
	if agreed < 300 || refused < 100 {
		t.Errorf("%d agreed and %d were refused: the corpus no longer reaches both", agreed, refused)
	}
}

func number(i int) string { return fmt.Sprintf("text/%d", i) }

// judged are the paths that Check was asked about, by Accept.
type judged struct {
	mu    sync.Mutex
	paths map[string][]string
}

func newJudged(check *checkServer) *judged {
	j := &judged{paths: map[string][]string{}}
	check.does(func(_ context.Context, in *auth.CheckRequest) (*auth.CheckResponse, error) {
		j.mu.Lock()
		defer j.mu.Unlock()
		request := in.GetAttributes().GetRequest().GetHttp()
		for _, h := range request.GetHeaderMap().GetHeaders() {
			if h.GetKey() == "accept" {
				j.paths[string(h.GetRawValue())] = append(j.paths[string(h.GetRawValue())], request.GetPath())
			}
		}
		return pass(), nil
	})
	return j
}

func (j *judged) of(accept string) []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.paths[accept]
}

// accepting are the request lines of requests with this Accept.
func (s *lineServer) accepting(accept string) (lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, request := range s.requests {
		if value, ok := request.header("accept"); ok && value == accept {
			lines = append(lines, request[0])
		}
	}
	return lines
}

// lines are a request without its body, line by line.
type lines []string

func (l lines) header(name string) (string, bool) {
	for _, line := range l[1:] {
		if is, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(is, name) {
			return strings.TrimSpace(value), true
		}
	}
	return "", false
}
