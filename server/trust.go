package server

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
)

// authorities reads those in a PEM file; key is the configuration's that names it.
func authorities(key, file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", key, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: %s holds no certificate in PEM", key, file)
	}
	return pool, nil
}

// stay follows no redirect: an answer from elsewhere is not from whom was asked.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
