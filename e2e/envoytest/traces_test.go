package envoytest_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc/metadata"
)

// tracing makes Envoy trace all requests, or of its own accord none. Its
// collector does not matter here.
func tracing(all bool) string {
	return `tracing:
  random_sampling: {value: ` + map[bool]string{true: "100", false: "0"}[all] + `}
  provider:
    name: envoy.tracers.opentelemetry
    typed_config:
      "@type": type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig
      service_name: envoy
      grpc_service: {envoy_grpc: {cluster_name: rolepass}}
`
}

// traced is an Envoy that traces; without some of what is removed of a client's
// headers, it is one that somebody wrote by hand.
func traced(all bool, without ...string) func(*rig) {
	return func(r *rig) {
		r.edit = func(yaml string) string {
			const before = "early_header_mutation_extensions:"
			at := strings.Index(yaml, before)
			indent := yaml[strings.LastIndexByte(yaml[:at], '\n')+1 : at]
			insert := strings.TrimSuffix(strings.ReplaceAll(tracing(all), "\n", "\n"+indent), indent)
			edited := yaml[:at] + insert + indent + yaml[at:]
			for _, name := range without {
				edited = strings.ReplaceAll(edited, "- remove: "+name+"\n", "- remove: x-nothing\n")
			}
			return edited
		}
	}
}

// A browser's span, which asks for a trace, or for none.
const (
	wants     = "Traceparent: 00-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb-bbbbbbbbbbbbbbbb-01"
	wantsNone = "Traceparent: 00-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb-bbbbbbbbbbbbbbbb-00"
	forces    = "X-Client-Trace-Id: b"
)

// whatEnvoySays gives what Envoy writes of its own span beside the question: how
// it goes on from a browser's trace, and whether it is recorded.
func whatEnvoySays(t *testing.T, change func(*rig), headers ...string) (joined, recorded bool) {
	t.Helper()
	said := saidBeside(t, change, headers...)
	if len(said) != 1 || len(said[0]) != 55 {
		t.Fatalf("Envoy says %q", said)
	}
	return strings.Contains(said[0], strings.Repeat("b", 32)), strings.HasSuffix(said[0], "-01")
}

func saidBeside(t *testing.T, change func(*rig), headers ...string) (said []string) {
	t.Helper()
	r := newRig(t, change)
	var mu sync.Mutex
	r.check.does(func(ctx context.Context, _ *auth.CheckRequest) (*auth.CheckResponse, error) {
		mu.Lock()
		defer mu.Unlock()
		said = metadata.ValueFromIncomingContext(ctx, "traceparent")
		return pass(), nil
	})
	r.send("GET /projects", headers...)
	mu.Lock()
	defer mu.Unlock()
	return said
}

// A browser neither has itself traced nor keeps itself out, and joins no trace:
// Envoy does not see what it says of traces. Where Envoy sees it, it does as it
// is told, which is why it is so.
func TestABrowserHasNoSayInTraces(t *testing.T) {
	for _, c := range []struct {
		name             string
		all              bool
		without          []string
		header           string
		joined, recorded bool
	}{
		{"asks for a trace", false, nil, wants, false, false},
		{"forces a trace", false, nil, forces, false, false},
		{"asks for none", true, nil, wantsNone, false, true},
		{"forces a trace, seen", false, []string{"x-client-trace-id"}, forces, false, true},
		{"asks for a trace, seen", false, []string{"traceparent"}, wants, true, false},
		{"asks for none, seen", true, []string{"traceparent"}, wantsNone, true, false},
	} {
		joined, recorded := whatEnvoySays(t, traced(c.all, c.without...), c.header)
		if joined != c.joined || recorded != c.recorded {
			t.Errorf("%s: joined %t, recorded %t; want %t, %t", c.name, joined, recorded, c.joined, c.recorded)
		}
	}
}

// An Envoy that does not trace says nothing of traces, whatever the browser
// says.
func TestAnEnvoyThatDoesNotTraceSaysNothing(t *testing.T) {
	if said := saidBeside(t, func(*rig) {}, wants, forces); len(said) > 0 {
		t.Errorf("Envoy says %q", said)
	}
}
