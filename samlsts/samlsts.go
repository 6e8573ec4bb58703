// Package samlsts is AWS STS's AssumeRoleWithSAML for S3 servers that have
// none: it verifies a SAML response as AWS documents, and then obtains
// temporary credentials from the store behind it, which enforces them.
//
// The store must speak AWS STS's AssumeRole, as MinIO does. Each role of the
// configuration is one service user of the store; the policy attached to that
// user in the store is the role's permission policy. A call takes this way:
//
//	read the form → find role and provider → verify the response
//	→ compare it with the role's trust → AssumeRole at the store, as the
//	role's service user, with the caller's session policy → answer in AWS's XML
//
// so what the credentials may do is the service user's policy, narrowed by the
// session policy. This package never widens and never interprets either.
//
//	server, err := samlsts.Open("samlsts.yaml")
//	err = server.Serve(ctx, func(address string) { fmt.Println("listening on", address) })
//
// Unmodified AWS SDKs work against it; they need only their endpoint set
// (AWS_ENDPOINT_URL_STS, or BaseEndpoint). Errors have AWS's codes, see
// [Error]. One line of JSON per call goes to [Config].IssuedLog.
//
// It has an XML reader of its own (a strict subset of XML, see parse) and
// shares no code with a SAML service provider in front of it, so that a trick
// which deceives one parser meets a second one. goxmldsig verifies signatures.
//
// An encrypted assertion is accepted where the provider has the key: encrypted
// by AES-GCM, the key wrapped by RSA-OAEP, and the assertion itself signed.
//
// What it does not do: session tags and SourceIdentity
// (refused, as by a trust policy without sts:TagSession), PolicyArns (the
// store has no managed policies), one-time use of assertions (AWS has none
// either), any other STS action, and GET: an assertion in a request line would
// end up in access logs.
package samlsts

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Server answers AssumeRoleWithSAML. It is an http.Handler, safe for
// concurrent use once its fields are set.
type Server struct {
	// Now is the clock. New sets time.Now.
	Now func() time.Time
	// Rand gives the bytes of request ids. New sets crypto/rand.Reader.
	Rand io.Reader
	// Assume obtains credentials from the store. New sets a call of the
	// store's own AssumeRole.
	Assume Assume
	// Log is for the operator: what went wrong behind this endpoint. It is
	// never given an assertion or a secret. New sets slog.Default.
	Log *slog.Logger

	config    *Config
	providers map[string]*provider // :: provider ARN → its metadata
	roles     map[string]*Role     // :: role ARN → its configuration
	journal   *journal
}

// Assume obtains credentials for one verified call. An *[Error] is answered
// to the caller as it is; any other error as ServiceUnavailable.
type Assume func(context.Context, Order) (*Credentials, error)

// Order is what the store is asked for.
type Order struct {
	// Role says as which service user to ask.
	Role *Role
	// SessionName is the assertion's RoleSessionName.
	SessionName string
	// Duration is in whole seconds.
	Duration time.Duration
	// Policy is the caller's session policy, or empty.
	Policy string
}

// Credentials are the store's temporary credentials, as the store names them.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey Secret
	SessionToken    Secret
	Expiration      time.Time
}

// Open is Load and New.
func Open(file string) (*Server, error) {
	cfg, err := Load(file)
	if err != nil {
		return nil, err
	}
	return New(cfg)
}

// New builds the server: it checks the whole configuration, reads the
// providers' metadata and opens the log. Every problem is in the error.
func New(cfg *Config) (*Server, error) {
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("checking the configuration: %w", err)
	}
	s := &Server{
		Now: time.Now, Rand: rand.Reader, Log: slog.Default(), config: cfg,
		providers: make(map[string]*provider),
		roles:     make(map[string]*Role),
	}
	var problems []error
	for _, p := range cfg.Providers {
		read, err := readProvider(p)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		s.providers[p.ARN] = read
	}
	for _, role := range cfg.Roles {
		if err := role.complete(); err != nil {
			problems = append(problems, fmt.Errorf("role %s: %w", role.ARN, err))
			continue
		}
		s.roles[role.ARN] = &role
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	s.Assume = assumeAt(cfg.Store)
	journal, err := openJournal(cfg.IssuedLog)
	if err != nil {
		return nil, err
	}
	s.journal = journal
	return s, nil
}

// Close closes the log. The server answers InternalFailure afterwards.
func (s *Server) Close() error { return s.journal.Close() }
