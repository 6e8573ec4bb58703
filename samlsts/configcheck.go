package samlsts

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

const maxClockSkew = 2 * time.Minute

// check fills in defaults and finds every problem at once.
func (c *Config) check() error {
	c.defaults()
	var problems []error
	add := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if err := c.checkListen(); err != nil {
		add("listen: %w", err)
	}
	if err := c.Store.check(); err != nil {
		add("store: %w", err)
	}
	if c.ClockSkew < 0 || c.ClockSkew > maxClockSkew {
		add("clock_skew: it must be between 0s and %s", maxClockSkew)
	}
	if len(c.Providers) == 0 {
		add("providers: name at least one, with its arn and metadata file")
	}
	if len(c.Roles) == 0 {
		add("roles: name at least one, with its arn, trust and store")
	}
	providers := make(map[string]bool)
	for i, p := range c.Providers {
		if err := p.check(providers); err != nil {
			add("providers[%d]: %w", i, err)
		}
		providers[p.ARN] = true
	}
	roles := make(map[string]bool)
	for i, r := range c.Roles {
		if roles[r.ARN] {
			add("roles[%d]: arn: %s stands here twice", i, r.ARN)
		}
		roles[r.ARN] = true
		for _, err := range r.check(providers, c.Store.loopback()) {
			add("roles[%d]: %w", i, err)
		}
	}
	return errors.Join(problems...)
}

func (c *Config) defaults() {
	if len(c.Audience) == 0 {
		c.Audience = []string{"urn:amazon:webservices", "https://signin.aws.amazon.com/saml"}
	}
	if c.ClockSkew == 0 {
		c.ClockSkew = time.Minute
	}
	if c.Store.Region == "" {
		c.Store.Region = "us-east-1"
	}
	for i := range c.Roles {
		if c.Roles[i].MaxSessionDuration == 0 {
			c.Roles[i].MaxSessionDuration = time.Hour
		}
	}
}

func (c *Config) checkListen() error {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil || port == "" {
		return errors.New("write an address and a port, such as 127.0.0.1:9004")
	}
	if c.TLS == nil {
		if !loopback(host) {
			return fmt.Errorf("%q is not a loopback address, and the answers carry credentials: listen on 127.0.0.1, or set tls with certificate_file and key_file", host)
		}
		return nil
	}
	if c.TLS.CertificateFile == "" || c.TLS.KeyFile == "" {
		return errors.New("tls needs both certificate_file and key_file")
	}
	return nil
}

// loopback reports whether a host can only be this machine. A name other than
// localhost could come to mean another one.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func (p Provider) check(known map[string]bool) error {
	arn, err := parseARN(p.ARN)
	switch {
	case err != nil:
		return fmt.Errorf("arn: %w", err)
	case arn.kind != "saml-provider":
		return fmt.Errorf("arn: %s is not a SAML provider's", p.ARN)
	case known[p.ARN]:
		return fmt.Errorf("arn: %s stands here twice", p.ARN)
	case p.Metadata == "":
		return errors.New("metadata: name the file with the IdP's metadata")
	}
	return nil
}

func (r Role) check(providers map[string]bool, storeIsLoopback bool) []error {
	var problems []error
	add := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	arn, err := parseARN(r.ARN)
	switch {
	case err != nil:
		add("arn: %w", err)
	case arn.kind != "role":
		add("arn: %s is not a role's", r.ARN)
	case strings.HasPrefix(arn.name, "aws-reserved/"):
		add("arn: AWS keeps roles under aws-reserved/ for itself; name another")
	}
	trusted, err := parseARN(r.Trust.Provider)
	if err != nil || !providers[r.Trust.Provider] || !trusted.sameAccount(arn) {
		add("trust.provider: it must be the arn of one of the providers, in the role's own account")
	}
	if len(r.Trust.SAMLAud) == 0 {
		add("trust.saml_aud: list the Recipients (ACS addresses) whose assertions may assume the role")
	}
	for _, recipient := range r.Trust.SAMLAud {
		if strings.TrimSpace(recipient) != recipient || recipient == "" || strings.ContainsAny(recipient, "*?") {
			add("trust.saml_aud: %q must be one exact address; nothing is a pattern", recipient)
		}
	}
	if d := r.MaxSessionDuration; d < minSeconds*time.Second || d > maxSeconds*time.Second || d%time.Second != 0 {
		add("max_session_duration: it must be whole seconds between 15m and 12h")
	}
	if err := r.Store.check(storeIsLoopback); err != nil {
		add("store.%w", err)
	}
	return problems
}

func (u ServiceUser) check(storeIsLoopback bool) error {
	switch {
	case u.AccessKeyID == "":
		return errors.New("access_key_id: name the service user that stands for the role")
	case u.SecretAccessKeyFile == "" && u.SecretAccessKey == "":
		return errors.New("secret_access_key_file: name the file with the user's secret")
	case u.SecretAccessKeyFile != "" && u.SecretAccessKey != "":
		return errors.New("secret_access_key: there is a secret_access_key_file, too; keep one")
	case u.SecretAccessKey != "" && !storeIsLoopback:
		return errors.New("secret_access_key: inline secrets are for tests against a loopback store; use secret_access_key_file")
	}
	return nil
}

func (s Store) check() error {
	at, err := url.Parse(s.Endpoint)
	if err != nil || at.Host == "" || at.User != nil || at.RawQuery != "" || at.Fragment != "" || strings.Trim(at.Path, "/") != "" {
		return errors.New("endpoint: write scheme, host and port only, such as https://s3.example.com")
	}
	if at.Scheme != "https" && !(at.Scheme == "http" && loopback(at.Hostname())) {
		return errors.New("endpoint: use https; plain http is for loopback addresses only")
	}
	return nil
}

// loopback reports whether the store is on this machine.
func (s Store) loopback() bool {
	at, err := url.Parse(s.Endpoint)
	return err == nil && loopback(at.Hostname())
}
