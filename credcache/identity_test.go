package credcache_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rolepass/rolepass/credcache"
)

// metadata is the metadata service of an EC2 instance, as strict as its second
// version: without a session token nothing is said.
type metadata struct {
	t    *testing.T
	old  bool   // it is the first version, and knows no tokens
	role string // of the profile; empty: it has none

	mu       sync.Mutex
	rotation int // of the credentials
	tokens   map[string]bool
	unasked  int // requests without a token
}

func (m *metadata) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	const roles = "/latest/meta-data/iam/security-credentials/"
	if r.Header.Get("X-Forwarded-For") != "" {
		m.t.Error("the metadata service is asked through a proxy")
	}
	if r.Method == http.MethodPut && r.URL.Path == "/latest/api/token" && !m.old {
		ttl, err := strconv.Atoi(r.Header.Get("X-Aws-Ec2-Metadata-Token-Ttl-Seconds"))
		if err != nil || ttl < 1 || ttl > 21600 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		token := fmt.Sprint("session-", len(m.tokens))
		m.tokens[token] = true
		w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", strconv.Itoa(ttl))
		fmt.Fprint(w, token)
		return
	}
	switch {
	case r.Method != http.MethodGet:
		w.WriteHeader(http.StatusMethodNotAllowed)
	case !m.old && !m.tokens[r.Header.Get("X-Aws-Ec2-Metadata-Token")], m.old:
		m.unasked++
		w.WriteHeader(http.StatusUnauthorized)
	case r.URL.Path == roles && m.role != "":
		fmt.Fprintln(w, m.role)
	case r.URL.Path == roles+m.role && m.role != "":
		m.rotation++
		fmt.Fprintf(w, `{"Code": "Success", "AccessKeyId": "ASIAINSTANCE%d", "SecretAccessKey": "canary-secret", "Token": "canary-token", "Expiration": %q}`,
			m.rotation, time.Now().Add(6*time.Hour).UTC().Format(time.RFC3339))
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// container is where a container finds its credentials.
type container struct{ token string }

func (c container) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/v1/credentials" || r.Header.Get("Authorization") != c.token {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	fmt.Fprintf(w, `{"AccessKeyId": "ASIAPOD", "SecretAccessKey": "canary-secret", "Token": "canary-token", "Expiration": %q}`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
}

// signer is STS as far as it says who signed: the access key ids of the calls.
type signer struct {
	mu   sync.Mutex
	keys []string
}

var credential = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([A-Z0-9]+)/\d{8}/eu-west-1/sts/aws4_request, `)

func (s *signer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := credential.FindStringSubmatch(r.Header.Get("Authorization"))
	s.mu.Lock()
	defer s.mu.Unlock()
	if key == nil || r.FormValue("Action") != "AssumeRole" {
		s.keys = append(s.keys, "nobody")
		w.WriteHeader(http.StatusForbidden)
		return
	}
	s.keys = append(s.keys, key[1]+" "+r.Header.Get("X-Amz-Security-Token"))
	fmt.Fprintf(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
		time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
}

func (s *signer) signed() string { s.mu.Lock(); defer s.mu.Unlock(); return strings.Join(s.keys, ", ") }

func serves(t *testing.T, handler http.Handler) string {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// takes is a workload's role, taken at STS with an identity.
func takes(t *testing.T, as aws.CredentialsProvider) (*credcache.Standing, *signer) {
	s := &signer{}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	one := standing(sts.New(sts.Options{Region: "eu-west-1", BaseEndpoint: aws.String(serves(t, s)), Credentials: as, RetryMaxAttempts: 1, HTTPClient: &http.Client{Transport: transport}}))
	one.Policies = []string{"{}"}
	return one, s
}

// polluted is an environment in which somebody left keys, a proxy, and another
// metadata service, which is version one.
func polluted(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIALEFT")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "left")
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:9")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9")
}

func TestAnInstancesProfileTakesTheRole(t *testing.T) {
	polluted(t)
	m := &metadata{t: t, role: "node", tokens: map[string]bool{}}
	one, at := takes(t, credcache.Instance(serves(t, m)))
	for range 2 { // the instance's credentials change, and nothing is kept
		if _, err := one.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if signed := at.signed(); signed != "ASIAINSTANCE1 canary-token, ASIAINSTANCE2 canary-token" {
		t.Errorf("STS was asked by %s", signed)
	}
	if c, err := one.Get(0); err != nil || c.AccessKeyID != "ASIAROLE" {
		t.Errorf("gave %v, %v", c, err)
	}
	if m.unasked != 0 {
		t.Errorf("asked %d times without a session token", m.unasked)
	}
}

// Where an instance gives nothing, or gives it to whoever asks, nothing is taken,
// and nobody else's keys are.
func TestAnInstanceWithoutAProfileTakesNothing(t *testing.T) {
	polluted(t)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for name, m := range map[string]*metadata{
		"no profile":  {t: t, tokens: map[string]bool{}},
		"version one": {t: t, role: "node", old: true, tokens: map[string]bool{}},
		"nobody":      nil,
	} {
		endpoint := gone.URL
		if m != nil {
			endpoint = serves(t, m)
		}
		one, at := takes(t, credcache.Instance(endpoint))
		if _, err := one.Renew(t.Context()); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
		if signed := at.signed(); signed != "" {
			t.Errorf("%s: STS was asked by %s", name, signed)
		}
		if _, err := one.Get(0); !errors.Is(err, credcache.ErrNone) {
			t.Errorf("%s: gave credentials (%v)", name, err)
		}
		if m != nil && m.unasked != 0 {
			t.Errorf("%s: asked %d times without a session token", name, m.unasked)
		}
	}
}

func TestAContainersIdentityTakesTheRole(t *testing.T) {
	polluted(t)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("pod-token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	several := filepath.Join(t.TempDir(), "several")
	if err := os.WriteFile(several, []byte("pod-token\r\nX-Other: header"), 0o600); err != nil {
		t.Fatal(err)
	}
	address := serves(t, container{"pod-token"}) + "/v1/credentials"
	elsewhere := strings.Replace(address, "127.0.0.1", "198.51.100.7", 1)
	for name, c := range map[string]struct {
		environment map[string]string
		signed      string
	}{
		"a token in a file":      {map[string]string{"FULL_URI": address, "TOKEN_FILE": file}, "ASIAPOD canary-token"},
		"a token":                {map[string]string{"FULL_URI": address, "TOKEN": "pod-token"}, "ASIAPOD canary-token"},
		"another token":          {map[string]string{"FULL_URI": address, "TOKEN": "other"}, ""},
		"a token of two lines":   {map[string]string{"FULL_URI": address, "TOKEN_FILE": several}, ""},
		"a file that is not":     {map[string]string{"FULL_URI": address, "TOKEN": "pod-token", "TOKEN_FILE": file + "2"}, ""},
		"an address elsewhere":   {map[string]string{"FULL_URI": elsewhere, "TOKEN": "pod-token"}, ""},
		"a name":                 {map[string]string{"FULL_URI": strings.Replace(address, "127.0.0.1", "localhost", 1), "TOKEN": "pod-token"}, ""},
		"a user in the address":  {map[string]string{"FULL_URI": strings.Replace(address, "http://", "http://127.0.0.1@", 1), "TOKEN": "pod-token"}, ""},
		"no path":                {map[string]string{"RELATIVE_URI": strings.Replace(address, "http://", "@", 1), "TOKEN": "pod-token"}, ""},
		"nothing":                {nil, ""},
		"keys beside nothing":    {map[string]string{"AWS_ACCESS_KEY_ID": "AKIALEFT", "AWS_SECRET_ACCESS_KEY": "left"}, ""},
		"keys and the container": {map[string]string{"AWS_ACCESS_KEY_ID": "AKIALEFT", "AWS_SECRET_ACCESS_KEY": "left", "FULL_URI": address, "TOKEN": "pod-token"}, "ASIAPOD canary-token"},
	} {
		t.Run(name, func(t *testing.T) {
			variables := map[string]string{"FULL_URI": "AWS_CONTAINER_CREDENTIALS_FULL_URI", "RELATIVE_URI": "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "TOKEN": "AWS_CONTAINER_AUTHORIZATION_TOKEN", "TOKEN_FILE": "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"}
			environment := map[string]string{}
			for name, value := range c.environment {
				if long, ok := variables[name]; ok {
					name = long
				}
				environment[name] = value
			}
			one, at := takes(t, credcache.Container(func(name string) string { return environment[name] }))
			_, err := one.Renew(t.Context())
			if signed := at.signed(); signed != c.signed || (err == nil) != (c.signed != "") {
				t.Errorf("STS was asked by %q: %v", signed, err)
			}
			if name == "an address elsewhere" && (err == nil || !strings.Contains(err.Error(), "nor an address of the container's own platform")) {
				t.Errorf("it was asked: %v", err)
			}
			if err != nil && (strings.Contains(err.Error(), "pod-token") || strings.Contains(err.Error(), "canary")) {
				t.Errorf("the error tells a secret: %v", err)
			}
		})
	}
}

// Keys in the environment are used where the configuration says so, and only if
// they are all there.
func TestKeysInTheEnvironment(t *testing.T) {
	for name, c := range map[string]struct{ key, secret, token, signed string }{
		"keys of a user": {"AKIAUSER", "s", "", "AKIAUSER "},
		"temporary keys": {"ASIAUSER", "s", "token", "ASIAUSER token"},
		"no secret":      {"AKIAUSER", "", "", ""},
		"no key":         {"", "s", "token", ""},
	} {
		environment := map[string]string{"AWS_ACCESS_KEY_ID": c.key, "AWS_SECRET_ACCESS_KEY": c.secret, "AWS_SESSION_TOKEN": c.token}
		one, at := takes(t, credcache.Environment(func(name string) string { return environment[name] }))
		_, err := one.Renew(t.Context())
		if signed := at.signed(); signed != c.signed || (err == nil) != (c.signed != "") {
			t.Errorf("%s: STS was asked by %q: %v", name, signed, err)
		}
	}
}
