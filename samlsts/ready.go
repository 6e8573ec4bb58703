package samlsts

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
)

// Ready says whether an endpoint with this configuration takes connections on
// this machine, for health checks of containers. With TLS the handshake is
// made; whose certificate it is says nothing here about the one that asks.
func Ready(ctx context.Context, path string) error {
	c, err := Load(path)
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return fmt.Errorf("nobody answers: %w", err)
	}
	defer conn.Close()
	if c.TLS == nil {
		return nil
	}
	return tls.Client(conn, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(ctx)
}
