package samlsts

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// Config is the whole configuration, as a file:
//
//	listen: 127.0.0.1:9004
//	store: {endpoint: "http://127.0.0.1:9005", region: us-east-1}
//	providers:
//	  - arn: arn:aws:iam::111122223333:saml-provider/corp
//	    metadata: corp.xml
//	roles:
//	  - arn: arn:aws:iam::111122223333:role/radiology
//	    trust:
//	      provider: arn:aws:iam::111122223333:saml-provider/corp
//	      saml_aud: ["https://label.example.com/rolepass/saml/acs"]
//	    store: {access_key_id: role-radiology, secret_access_key_file: radiology.secret}
//	issued_log: issued.jsonl
//
// Unknown keys are errors. File names are relative to the file's folder.
type Config struct {
	// Listen is the address to listen on, HOST:PORT; port 0 takes a free one.
	// Required. Without TLS it must be a loopback address, because the answers
	// carry credentials.
	Listen string `yaml:"listen"`
	// TLS makes the endpoint https, and lets it listen anywhere. Optional.
	TLS *TLS `yaml:"tls"`
	// Providers are the IAM SAML providers: identity providers whose metadata
	// is registered here. Required.
	Providers []Provider `yaml:"providers"`
	// Roles are the roles that can be assumed. Required.
	Roles []Role `yaml:"roles"`
	// Store is the S3 server's own STS. Required.
	Store Store `yaml:"store"`
	// Audience lists what AWS accepts as Audience; one of them must be among
	// the assertion's. Optional: urn:amazon:webservices and
	// https://signin.aws.amazon.com/saml.
	Audience []string `yaml:"audience"`
	// ClockSkew is how far an IdP's clock may be ahead of ours: it moves
	// NotBefore, never an end. Optional: zero means 60s; at most 2m.
	ClockSkew time.Duration `yaml:"clock_skew"`
	// IssuedLog is a file to which one line of JSON is appended per call, see
	// Record; it is made with mode 0600. When a line cannot be written, no
	// credentials are given out. Optional: empty means no log.
	IssuedLog string `yaml:"issued_log"`
}

// TLS is the endpoint's own certificate.
type TLS struct {
	// CertificateFile holds the chain, KeyFile the private key, both in PEM.
	CertificateFile string `yaml:"certificate_file"`
	KeyFile         string `yaml:"key_file"`
}

// Provider is one IAM SAML provider.
type Provider struct {
	// ARN is arn:aws:iam::ACCOUNT:saml-provider/NAME.
	ARN string `yaml:"arn"`
	// Metadata is the file with the IdP's EntityDescriptor. Only the
	// certificates in it are trusted, and only for this provider.
	Metadata string `yaml:"metadata"`
	// DecryptionKeyFile holds the private key for which the IdP encrypts its
	// assertions: RSA, PKCS #8 in PEM. It is what AddPrivateKey gives to a
	// provider in IAM. Optional: without it an encrypted assertion is refused.
	DecryptionKeyFile string `yaml:"decryption_key_file"`
}

// Role is one role.
type Role struct {
	// ARN is arn:aws:iam::ACCOUNT:role/NAME.
	ARN string `yaml:"arn"`
	// MaxSessionDuration is the most that DurationSeconds may ask for, 15m to
	// 12h in whole seconds. Optional: 1h.
	MaxSessionDuration time.Duration `yaml:"max_session_duration"`
	// Trust is the role's trust policy.
	Trust Trust `yaml:"trust"`
	// Store is the service user that stands for the role.
	Store ServiceUser `yaml:"store"`

	parsed iamARN // of ARN, set by New
}

// Trust says whose assertions may assume a role.
type Trust struct {
	// Provider is the ARN of one of the providers, in the role's account.
	Provider string `yaml:"provider"`
	// SAMLAud lists the values that SAML:aud may have: the Recipient of the
	// assertion, which is the service provider's ACS. Compared exactly.
	SAMLAud []string `yaml:"saml_aud"`
}

// ServiceUser is a user of the store. The policy that is attached to it there
// is the role's permission policy; give every role a user of its own.
type ServiceUser struct {
	AccessKeyID string `yaml:"access_key_id"`
	// SecretAccessKeyFile is a file with the secret; a line end after it is
	// ignored.
	SecretAccessKeyFile string `yaml:"secret_access_key_file"`
	// SecretAccessKey is the secret itself. Only for tests: it is refused
	// unless the store is on a loopback address.
	SecretAccessKey Secret `yaml:"secret_access_key"`
}

// Store is the S3 server whose STS has AssumeRole.
type Store struct {
	// Endpoint is its address, such as https://s3.example.com. Plain http is
	// for loopback addresses only: requests to it yield credentials.
	Endpoint string `yaml:"endpoint"`
	// Region is the region that requests are signed for. Optional: us-east-1.
	Region string `yaml:"region"`
}

// maxConfig bounds the configuration file, in bytes.
const maxConfig = 1 << 20

// Load reads a configuration file strictly. [New] checks what it says.
func Load(file string) (*Config, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	if len(text) > maxConfig {
		return nil, fmt.Errorf("reading the configuration: %s has more than %d bytes", file, maxConfig)
	}
	cfg := &Config{}
	decoder := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict())
	if err := decoder.Decode(cfg); errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the configuration: %s is empty", file)
	} else if err != nil {
		return nil, fmt.Errorf("reading the configuration %s: %s", file, yaml.FormatError(err, false, false))
	}
	if err := decoder.Decode(&Config{}); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the configuration %s: it has a second document; keep one", file)
	}
	cfg.relativeTo(filepath.Dir(file))
	return cfg, nil
}

// relativeTo anchors every file name in a folder.
func (c *Config) relativeTo(folder string) {
	files := []*string{&c.IssuedLog}
	if c.TLS != nil {
		files = append(files, &c.TLS.CertificateFile, &c.TLS.KeyFile)
	}
	for i := range c.Providers {
		files = append(files, &c.Providers[i].Metadata, &c.Providers[i].DecryptionKeyFile)
	}
	for i := range c.Roles {
		files = append(files, &c.Roles[i].Store.SecretAccessKeyFile)
	}
	for _, file := range files {
		if *file != "" && !filepath.IsAbs(*file) {
			*file = filepath.Join(folder, *file)
		}
	}
}

// complete reads what the role's configuration refers to.
func (r *Role) complete() (err error) {
	if r.parsed, err = parseARN(r.ARN); err != nil {
		return err
	}
	r.Store.SecretAccessKey, err = r.Store.secret()
	return err
}

// secret is the user's secret, wherever it stands.
func (u ServiceUser) secret() (Secret, error) {
	if u.SecretAccessKeyFile == "" {
		return u.SecretAccessKey, nil
	}
	text, err := os.ReadFile(u.SecretAccessKeyFile)
	if err != nil {
		return "", fmt.Errorf("reading secret_access_key_file: %w", err)
	}
	secret := strings.TrimRight(string(text), "\r\n")
	if secret == "" || strings.ContainsAny(secret, " \t\r\n") {
		return "", fmt.Errorf("reading secret_access_key_file: %s must hold the secret and nothing else", u.SecretAccessKeyFile)
	}
	return Secret(secret), nil
}
