package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
	"github.com/rolepass/rolepass/state"
)

func newIdP(t *testing.T, entity string) *samltest.IdP {
	t.Helper()
	idp, err := samltest.New(samltest.Options{EntityID: entity, SSOURL: entity + "/sso"})
	if err != nil {
		t.Fatal(err)
	}
	return idp
}

// configured is a configuration whose metadata comes from this handler.
func configured(t *testing.T, metadata http.HandlerFunc) *config.Config {
	t.Helper()
	idp := httptest.NewServer(metadata)
	t.Cleanup(idp.Close)
	dir := t.TempDir()
	if _, err := state.NewKey(filepath.Join(dir, "keys"), time.Now(), bytes.NewReader(make([]byte, 64))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "label-studio.key"), []byte(appKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	searched(t, dir)
	admin := freeAddress(t)
	text := `
public_url: https://label.test
listen: unix://` + filepath.Join(dir, "check.sock") + `
admin: ` + admin + `
keys: keys
idps:
  - {name: corp, metadata: "` + idp.URL + `/metadata", audience: ["urn:amazon:webservices"], providers: ["arn:aws:iam::111122223333:saml-provider/corp"]}
sts:
  - {name: aws, region: eu-west-1}
buckets:
  - {name: imaging, region: eu-west-1, sts: aws}
grants:
  - {role: "arn:aws:iam::111122223333:role/radiology", read: ["s3://imaging/radiology/"], anywhere: true}
label_studio: {url: "http://127.0.0.1:1", secret_key_file: label-studio.key, owner_id: 1}
audit: ` + filepath.Join(dir, "audit.log") + `
envoy: {certificate: /c, private_key: /k}
`
	c, err := config.Parse(filepath.Join(dir, "rolepass.yaml"), []byte(text), config.Everything)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func quiet() Options { return Options{Log: secrets.Log} }

func TestItServesAndDrains(t *testing.T) {
	idp := newIdP(t, "https://idp.test")
	c := configured(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(idp.Metadata()) })
	c.Monitoring = freeAddress(t)
	s, err := New(t.Context(), c, quiet())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	await(t, "http://"+c.Admin+"/readyz", http.StatusOK)
	for path, want := range map[string]int{"/healthz": http.StatusOK, "/readyz": http.StatusOK, "/metrics": http.StatusOK, "/sessions": http.StatusNotFound} {
		await(t, "http://"+c.Monitoring+path, want)
	}

	info, err := os.Stat(c.Listen.Address)
	if err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("the socket has mode %v, %v", info.Mode(), err)
	}
	conn, err := grpc.NewClient("unix:"+c.Listen.Address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	check := authv3.NewAuthorizationClient(conn)
	for name, r := range map[string]struct {
		http *authv3.AttributeContext_HttpRequest
		want int
	}{
		"a picture without a session": {&authv3.AttributeContext_HttpRequest{Method: "GET", Host: "label.test", Path: "/tasks/1/resolve/?fileuri=czM6Ly9hL2I=", Headers: map[string]string{"sec-fetch-mode": "no-cors"}}, 401},
		"a page":                      {&authv3.AttributeContext_HttpRequest{Method: "GET", Host: "label.test", Path: "/", Headers: map[string]string{"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}}, 303},
		"our metadata":                {&authv3.AttributeContext_HttpRequest{Method: "GET", Host: "label.test:443", Path: "/rolepass/saml/metadata"}, 200},
		"another host":                {&authv3.AttributeContext_HttpRequest{Method: "GET", Host: "evil.test", Path: "/"}, 421},
		"nothing":                     {nil, 400},
	} {
		out, err := check.Check(t.Context(), &authv3.CheckRequest{Attributes: &authv3.AttributeContext{Request: &authv3.AttributeContext_Request{Http: r.http}}})
		if err != nil || out.GetOkResponse() != nil || int(out.GetDeniedResponse().GetStatus().GetCode()) != r.want {
			t.Errorf("%s: %v, %v; want %d", name, out.GetDeniedResponse().GetStatus(), err, r.want)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
	audit, err := os.ReadFile(c.Audit)
	if err != nil || strings.Count(string(audit), "\n") < 4 {
		t.Errorf("the audit was not written out: %q, %v", audit, err)
	}
}

func await(t *testing.T, address string, status int) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if response, err := http.Get(address); err == nil {
			_, _ = io.Copy(secrets.Writer("what an operator asks for"), response.Body)
			_ = response.Body.Close()
			if response.StatusCode == status {
				return
			}
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s never answers %d", address, status)
		}
	}
}

// What is wrong at the start is said at the start, and nothing listens.
func TestWhatStopsTheStart(t *testing.T) {
	idp := newIdP(t, "https://idp.test")
	fine := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(idp.Metadata()) }
	for name, c := range map[string]struct {
		metadata http.HandlerFunc
		change   func(*config.Config) error
		want     string
	}{
		"metadata that moved": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.test/", http.StatusFound)
		}, nil, "give the address of the document itself"},
		"no metadata": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, nil, "404"},
		"a login page": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<html><body>Sign in</body></html>")
		}, nil, "metadata of IdP corp"},
		"endless metadata": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.Copy(w, io.LimitReader(zeros{}, largestMetadata+10))
		}, nil, "larger than"},
		"no keys":           {fine, func(c *config.Config) error { return os.RemoveAll(c.Keys) }, "rolepass keys new"},
		"an empty secret":   {fine, func(c *config.Config) error { return os.WriteFile(c.LabelStudio.SecretKeyFile, nil, 0o600) }, "is empty"},
		"no place to audit": {fine, func(c *config.Config) error { c.Audit = filepath.Join(c.Keys, "no", "such"); return nil }, "audit"},
	} {
		loaded := configured(t, c.metadata)
		if c.change != nil {
			if err := c.change(loaded); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := New(t.Context(), loaded, quiet()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want it to say %q", name, err, c.want)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// An IdP that rolls its key over publishes the new one beside the old one,
// signs with it later, and drops the old one at last: nobody's login fails on
// the way, whether or not a refresh failed in between.
func TestAKeyRollsOverWithoutAFailedLogin(t *testing.T) {
	old := newIdP(t, "https://idp.test")
	key, err := samltest.NewKey(2048)
	if err != nil {
		t.Fatal(err)
	}
	idp := func(o samltest.Options) *samltest.IdP {
		o.EntityID, o.SSOURL = "https://idp.test", "https://idp.test/sso"
		made, err := samltest.New(o)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	rolled := idp(samltest.Options{Key: key})
	both := idp(samltest.Options{Announced: []*samltest.Key{key}})
	stale := strings.Replace(string(rolled.Metadata()), "<md:EntityDescriptor ", `<md:EntityDescriptor validUntil="2020-01-01T00:00:00Z" `, 1)
	var answer atomic.Pointer[[]byte]
	give := func(document []byte) { answer.Store(&document) }
	give(old.Metadata())
	var said bytes.Buffer
	o := Options{Log: slog.New(slog.NewTextHandler(io.MultiWriter(&said, secrets.Writer("the log")), nil))}
	s, err := New(t.Context(), configured(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(*answer.Load()) }), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.audit.Close(context.Background()) })
	logins := 0
	signsIn := func(by *samltest.IdP) error {
		logins++
		sp := s.idps[0].sp.Load()
		response := by.Response(samltest.Spec{ACS: sp.ACS, InResponseTo: "id-1", Roles: []string{"arn:aws:iam::111122223333:role/radiology,arn:aws:iam::111122223333:saml-provider/corp"}})
		_, err := sp.Verify(response, saml.Expect{RequestID: "id-1"})
		return err
	}
	for _, phase := range []struct {
		name      string
		published []byte
		signs     []*samltest.IdP
		says      string
	}{
		{"old", old.Metadata(), []*samltest.IdP{old}, ""},
		{"both are published", both.Metadata(), []*samltest.IdP{old, rolled}, ""},
		{"the address answers nonsense", []byte("<html>"), []*samltest.IdP{old, rolled}, "the last stays in use"},
		{"a stale copy is published", []byte(stale), []*samltest.IdP{old, rolled}, "was valid until 2020-01-01T00:00:00Z only"},
		{"the old one is gone", rolled.Metadata(), []*samltest.IdP{rolled}, ""},
	} {
		said.Reset()
		give(phase.published)
		s.refreshOnce(t.Context())
		for _, by := range phase.signs {
			if err := signsIn(by); err != nil {
				t.Errorf("%s: %v", phase.name, err)
			}
		}
		if !strings.Contains(said.String(), phase.says) || phase.says == "" && said.Len() > 0 {
			t.Errorf("%s: the log says %q", phase.name, said.String())
		}
	}
	if err := signsIn(old); err == nil {
		t.Error("the key that is gone still signs")
	}
	t.Logf("%d logins through a rollover", logins)
}

// Days before the certificate of an IdP ends, the log and a metric say so, at the
// start and at each refresh.
func TestTheEndOfAnIdPIsAnnounced(t *testing.T) {
	end := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	key, err := samltest.NewKeyValid(2048, end.AddDate(-1, 0, 0), end)
	if err != nil {
		t.Fatal(err)
	}
	idp, err := samltest.New(samltest.Options{EntityID: "https://idp.test", SSOURL: "https://idp.test/sso", Key: key})
	if err != nil {
		t.Fatal(err)
	}
	now := end.AddDate(0, 0, -15)
	var said bytes.Buffer
	o := Options{Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(io.MultiWriter(&said, secrets.Writer("the log")), nil))}
	s, err := New(t.Context(), configured(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(idp.Metadata()) }), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.audit.Close(context.Background()) })
	if said.Len() > 0 {
		t.Errorf("15 days before, the log says %s", said.String())
	}
	for _, c := range []struct {
		days int
		says string
	}{{-13, "ends soon"}, {1, "has ended, and every login is refused"}} {
		said.Reset()
		now = end.AddDate(0, 0, c.days)
		s.refreshOnce(t.Context())
		if !strings.Contains(said.String(), c.says) || !strings.Contains(said.String(), "end=2027-03-01T00:00:00Z") {
			t.Errorf("%d days after the end, the log says %q", c.days, said.String())
		}
	}
	scrape := httptest.NewRecorder()
	s.metrics.Handler().ServeHTTP(scrape, httptest.NewRequest("GET", "/metrics", nil))
	if want := `rolepass_idp_ends_timestamp_seconds{idp="corp"} 1.803859`; !strings.Contains(scrape.Body.String(), want) {
		t.Errorf("no line %s", want)
	}
}

// Root may listen everywhere: what others are told is looked at by itself.
func TestWhereAUserMayNotListen(t *testing.T) {
	said := unheard("listen", "/run/rolepass/check.sock", &net.OpError{Op: "listen", Err: fs.ErrPermission}).Error()
	if want := fmt.Sprintf("listen: this user (uid %d) may not listen at /run/rolepass/check.sock", os.Geteuid()); !strings.HasPrefix(said, want) {
		t.Errorf("%q does not begin with %q", said, want)
	}
}

// TestWhereNothingCanListen: each address that is wrong is named with its key and
// with what to do.
func TestWhereNothingCanListen(t *testing.T) {
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	away := filepath.Join(t.TempDir(), "away", "x.sock")
	idp := newIdP(t, "https://idp.test")
	for name, c := range map[string]struct {
		change func(*config.Config)
		says   []string
	}{
		"admin is taken":             {func(c *config.Config) { c.Admin = taken.Addr().String() }, []string{"admin: ", "is in use by another process"}},
		"monitoring is taken":        {func(c *config.Config) { c.Monitoring = taken.Addr().String() }, []string{"monitoring: ", "is in use by another process"}},
		"another machine's address":  {func(c *config.Config) { c.Monitoring = "192.0.2.1:9003" }, []string{"monitoring: 192.0.2.1:9003 is no address of this machine"}},
		"no directory for Check":     {func(c *config.Config) { c.Listen = config.Listen{Network: "unix", Address: away} }, []string{"listen: the directory of " + away}},
		"no directory for operators": {func(c *config.Config) { c.AdminSocket = away }, []string{"admin_socket: the directory of " + away}},
	} {
		loaded := configured(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(idp.Metadata()) })
		c.change(loaded)
		s, err := New(t.Context(), loaded, quiet())
		if err != nil {
			t.Fatal(err)
		}
		err = s.Run(t.Context())
		if err == nil {
			t.Errorf("%s: it ran", name)
			continue
		}
		for _, says := range c.says {
			if !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v does not say %q", name, err, says)
			}
		}
		if err := s.audit.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

func TestTheSocketOfAnotherProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "check.sock")
	address := config.Listen{Network: "unix", Address: path}

	if err := os.WriteFile(path, []byte("not a socket"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listen(t.Context(), address); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("a file in its place: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}

	alive, err := listen(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := listen(t.Context(), address); err == nil || !strings.Contains(err.Error(), "another process answers") {
		t.Errorf("a process that is alive: %v", err)
	}
	alive.(*net.UnixListener).SetUnlinkOnClose(false) // as a crash leaves it
	if err := alive.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := listen(t.Context(), address)
	if err != nil {
		t.Fatalf("the socket of a process that is gone: %v", err)
	}
	if err := again.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

func TestTheHostsThatAreOurs(t *testing.T) {
	for public, want := range map[string][]string{
		"https://label.test":      {"label.test", "label.test:443"},
		"https://Label.Test:443":  {"label.test", "label.test:443"},
		"https://label.test:8443": {"label.test:8443"},
		"http://localhost:8080":   {"localhost:8080"},
		"http://localhost":        {"localhost", "localhost:80"},
	} {
		u, err := url.Parse(public)
		if err != nil {
			t.Fatal(err)
		}
		if got := hosts(u); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", public, got, want)
		}
	}
}
