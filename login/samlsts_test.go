package login_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/saml/samltest"
	"github.com/rolepass/rolepass/samlsts"
)

// tokenService is samlsts, which reads the assertion with a parser of its own,
// in the place of the double. It gives the durations that were obtained.
func (w *world) tokenService() *[]time.Duration {
	w.t.Helper()
	dir := w.t.TempDir()
	metadata, secret := filepath.Join(dir, "corp.xml"), filepath.Join(dir, "secret")
	for name, text := range map[string][]byte{metadata: w.idp.Metadata(), secret: []byte("canary-user")} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
	user := samlsts.ServiceUser{AccessKeyID: "user", SecretAccessKeyFile: secret}
	trust := func(audience string) samlsts.Trust {
		return samlsts.Trust{Provider: provider, SAMLAud: []string{audience}}
	}
	server, err := samlsts.New(&samlsts.Config{
		Listen: "127.0.0.1:0", Store: samlsts.Store{Endpoint: "http://127.0.0.1:1"},
		Providers: []samlsts.Provider{{ARN: provider, Metadata: metadata}},
		Roles: []samlsts.Role{
			{ARN: radiology, MaxSessionDuration: time.Hour, Trust: trust(acs), Store: user},
			{ARN: research, MaxSessionDuration: time.Hour, Trust: trust("https://elsewhere.test/acs"), Store: user},
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	var obtained []time.Duration
	server.Now, server.Log = w.now, slog.New(slog.NewTextHandler(io.Discard, nil))
	server.Assume = func(_ context.Context, o samlsts.Order) (*samlsts.Credentials, error) {
		obtained = append(obtained, o.Duration)
		return &samlsts.Credentials{AccessKeyID: "STORE1", SecretAccessKey: "canary-secret", SessionToken: "canary-token", Expiration: w.now().Add(o.Duration)}, nil
	}
	front := httptest.NewServer(server)
	transport := &http.Transport{}
	w.t.Cleanup(func() { transport.CloseIdleConnections(); front.Close(); server.Close() })
	client := sts.New(sts.Options{Region: "eu-west-1", BaseEndpoint: aws.String(front.URL), Credentials: aws.AnonymousCredentials{}, HTTPClient: &http.Client{Transport: transport}})
	exchanger := &credcache.Exchanger{Name: "aws", STS: client, Duration: 4 * time.Hour, Called: func(outcome string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.asked = append(w.asked, outcome)
	}}
	w.Exchanger = func(string) *credcache.Exchanger { return exchanger }
	return &obtained
}

// Two parsers agree on a right assertion; a role whose trust does not fit is
// missed; one that allows an hour only is taken for an hour.
func TestALoginWithARealTokenService(t *testing.T) {
	w := newWorld(t)
	obtained := w.tokenService()
	b := w.browser()
	page := b.signsIn(func(s *samltest.Spec) { s.IssueInstant = w.now() })
	s := b.session()
	if s == nil {
		t.Fatalf("answered %d: %v", page.Status, page.Refusal)
	}
	if !slices.Equal(s.Roles, []string{radiology}) || len(s.Missed) != 1 || s.Missed[0].Role != research {
		t.Errorf("roles %v, missed %v", s.Roles, s.Missed)
	}
	got, err := w.Cache.Get(t.Context(), credcache.Key{Session: s, Role: radiology})
	if err != nil || got.AccessKeyID != "STORE1" || !slices.Equal(*obtained, []time.Duration{time.Hour}) {
		t.Errorf("%v, %v for %v", got, err, *obtained)
	}
	slices.Sort(w.asked)
	if want := []string{"AccessDenied", "ValidationError", "ok"}; !slices.Equal(w.asked, want) {
		t.Errorf("STS said %v, want %v", w.asked, want)
	}
}

// An assertion that reached STS before does not enter here a second time.
func TestAReplayDoesNotReachTheTokenService(t *testing.T) {
	w := newWorld(t)
	obtained := w.tokenService()
	b := w.browser()
	request := b.starts("/")
	post := posting(w.idp.Response(right(request)), request.RelayState)
	lines := b.lines()
	b.asks(post)
	post.CookieLines = lines
	if page := w.Handle(t.Context(), post); page.Refusal == nil || page.Refusal.Code != login.CodeReplay || len(*obtained) != 1 {
		t.Errorf("answered %d, %v; %d credentials", page.Status, page.Refusal, len(*obtained))
	}
}
