package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/rolepass/rolepass/config"
)

// Door listens for Check, behind mutual TLS where the configuration has it.
func Door(ctx context.Context, c *config.Config) (net.Listener, error) {
	if c.CheckTLS == nil {
		listener, err := listen(ctx, c.Listen)
		if err != nil {
			return nil, err
		}
		return Batching(listener), nil
	}
	if _, err := handshake(c.CheckTLS); err != nil { // at the start rather than at the first Check
		return nil, err
	}
	listener, err := listen(ctx, c.Listen)
	if err != nil {
		return nil, err
	}
	return tls.NewListener(Batching(listener), &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return handshake(c.CheckTLS)
		},
	}), nil
}

// handshake is the setting of one handshake. Files are read each time: a
// connection lasts for hours, and a renewed certificate needs no restart.
func handshake(t *config.CheckTLS) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(t.Certificate, t.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate for Check: %w", err)
	}
	pool, err := authorities("check_tls.ca", t.CA)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"h2"},
		Certificates: []tls.Certificate{pair},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    pool,
		// Without it a session that was resumed would not be verified anew.
		SessionTicketsDisabled: true,
		VerifyConnection:       func(state tls.ConnectionState) error { return isEnvoy(state, t.EnvoyName) },
	}, nil
}

// isEnvoy compares the name byte for byte, and takes no wildcard: the same
// authority may have issued certificates to others.
func isEnvoy(state tls.ConnectionState, name string) error {
	if len(state.PeerCertificates) == 0 || !slices.Contains(state.PeerCertificates[0].DNSNames, name) {
		return errors.New("this is not Envoy's certificate")
	}
	return nil
}
