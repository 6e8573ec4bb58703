package server

import (
	"context"
	"crypto/tls"
	"runtime/debug"
	"time"

	"google.golang.org/grpc/metadata"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/state"
	"github.com/rolepass/rolepass/telemetry"
)

// lastSpans is how long the collector may take at the end.
const lastSpans = 3 * time.Second

// openTraces makes what sends spans; nil where none are wanted. Objects have
// the hashes that they have in the audit.
func openTraces(ctx context.Context, c *config.Config, o Options, ring *state.Keyring, metrics *telemetry.Metrics) (*telemetry.Traces, error) {
	t := c.Traces
	if t.Endpoint == nil {
		return nil, nil
	}
	options := telemetry.TracesOptions{
		Collector: t.Endpoint.Host, Ratio: t.Ratio, FollowProxy: t.FollowEnvoy, Key: ring.Derive(auditing)[0], Version: ownVersion(),
		Lost: metrics.SpansLost, Log: o.Log, Now: o.Now,
	}
	if t.Endpoint.Scheme == "https" {
		var err error
		if options.TLS, err = toCollector(t); err != nil {
			return nil, err
		}
	}
	return telemetry.NewTraces(ctx, options)
}

// ownVersion is Rolepass's own, as `rolepass version` prints it.
func ownVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}

// toCollector reads our certificate at each handshake, as for Check.
func toCollector(t config.Traces) (*tls.Config, error) {
	out := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CA != "" {
		var err error
		if out.RootCAs, err = authorities("traces.ca", t.CA); err != nil {
			return nil, err
		}
	}
	if t.Certificate != "" {
		out.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(t.Certificate, t.PrivateKey)
			return &pair, err
		}
	}
	return out, nil
}

// followed tells the decision of Envoy's span. Envoy writes it beside the
// question (gRPC's metadata), and only where it traces; what the browser sent is
// in the question itself, where nobody looks for it.
func followed(decide func(context.Context, decision.Request) decision.Decision) func(context.Context, decision.Request) decision.Decision {
	return func(ctx context.Context, r decision.Request) decision.Decision {
		if said := metadata.ValueFromIncomingContext(ctx, "traceparent"); len(said) == 1 {
			r.Traceparent = said[0]
		}
		return decide(ctx, r)
	}
}
