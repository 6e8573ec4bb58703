//go:build idps

package idps

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rolepass/rolepass/e2e/canary"
	"github.com/rolepass/rolepass/e2e/stack"
	"github.com/rolepass/rolepass/saml"
)

// hospital is everything: one Rolepass and three identity providers.
type hospital struct {
	*stack.Stack
	dir      string
	keycloak *keycloak
	simple   *simpleSAML
	// shared is the key that the token service has of Keycloak's provider.
	shared keyPair
}

var partners = map[string]stack.Partner{"keycloak": {Name: "keycloak"}, "simplesaml": {Name: "simplesaml"}}

var start = sync.OnceValues(func() (*hospital, error) {
	h := &hospital{}
	tools, err := stack.FromEnvironment()
	if err != nil {
		return h, err
	}
	if h.dir, err = os.MkdirTemp("", "rolepass-idps-"); err != nil {
		return h, err
	}
	secrets.Logs(filepath.Join(h.dir, "keycloak"), nil)
	secrets.Logs(filepath.Join(h.dir, "simplesaml"), map[string][]string{"simplesaml.log": {"a relay state"}}) // it was sent that
	ctx, cancel := context.WithTimeout(context.Background(), 2*startPatience)
	defer cancel()
	return h, h.start(ctx, tools)
})

// used says that a test needed the hospital.
var used atomic.Bool

// start starts the providers, which learn where Rolepass will be, and then all
// the rest with their metadata.
func (h *hospital) start(ctx context.Context, tools stack.Tools) error {
	port := freePort(18600)
	public := fmt.Sprintf("http://localhost:%d", port)
	together, inner := errgroup.WithContext(ctx)
	together.Go(func() (err error) {
		dir := filepath.Join(h.dir, "keycloak")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		if h.keycloak, err = startKeycloak(inner, dir); err != nil {
			return err
		}
		p := partners["keycloak"]
		return h.keycloak.introduces(inner, public, p.Role(), p.Provider())
	})
	together.Go(func() (err error) {
		p := partners["simplesaml"]
		h.simple, err = startSimpleSAML(inner, filepath.Join(h.dir, "simplesaml"), public, p.Role(), p.Provider())
		return err
	})
	if err := together.Wait(); err != nil {
		return err
	}
	o := stack.Options{Dir: filepath.Join(h.dir, "stack"), Tools: tools, Progress: os.Stderr, PublicPort: port, Secrets: &secrets}
	var err error
	if h.shared, err = h.newKeyPair("shared"); err != nil {
		return err
	}
	for name, address := range map[string]string{"keycloak": h.keycloak.metadata(), "simplesaml": h.simple.metadata()} {
		p := partners[name]
		p.Metadata = address
		if name == "keycloak" {
			p.DecryptionKey = h.shared.file
		}
		if p.Document, err = get(ctx, address); err != nil {
			return err
		}
		o.Partners = append(o.Partners, p)
	}
	if h.Stack, err = stack.Start(ctx, o); err != nil {
		return err
	}
	return h.trusted(ctx)
}

// trusted tells the providers our certificate.
func (h *hospital) trusted(ctx context.Context) error {
	keys, err := saml.LoadSigningKeys(h.SAMLKeys())
	if err != nil {
		return err
	}
	certificate := base64.StdEncoding.EncodeToString(keys[0].Certificate.Raw)
	return errors.Join(h.keycloak.signsOut(ctx, h.Demo.Public, certificate), h.simple.signsOut(h.Demo.Public, certificate))
}

func (h *hospital) stop() {
	if h.Stack != nil {
		h.Stack.Stop()
	}
	if h.keycloak != nil {
		h.keycloak.stop()
	}
	if h.simple != nil {
		h.simple.stop()
	}
}

// secrets is what the stories must not leave written anywhere.
var secrets canary.Suite

// TestMain ends everything, and then looks for the secrets of all stories in
// what Rolepass, Envoy and the providers have written.
func TestMain(m *testing.M) {
	if dir := os.Getenv(abandonedIn); dir != "" {
		abandons(dir)
	}
	var dir string
	code := secrets.After(m, func() { dir = ends() }).Run()
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// ends ends what was started, if any test needed it, and gives its folder.
func ends() string {
	if !used.Load() {
		return ""
	}
	h, _ := start() // what could be started, of it
	h.stop()
	return h.dir
}

func running(t *testing.T) *hospital {
	t.Helper()
	used.Store(true)
	h, err := start()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// person is somebody at one of the providers.
type person struct{ idp, name, password string }

var people = []person{{"keycloak", "alice", "demo-alice"}, {"simplesaml", "bob", "demo-bob"}, {"demo", "researcher", "demo-researcher"}}

// chooses opens the application and chooses the provider: what comes is the
// provider's login page, or its answer where it knows the person.
func (h *hospital) chooses(b *browser, idp string) page {
	b.t.Helper()
	return b.opens(b.linked(b.opens(h.Demo.Public+"/"), idp))
}

// proves gives name and password, and comes back with the form for the ACS.
func (h *hospital) proves(b *browser, login page, who person) page {
	b.t.Helper()
	return b.follows(b.sends(login, map[string]string{"username": who.name, "password": who.password}))
}

func (h *hospital) signsIn(b *browser, who person) {
	b.t.Helper()
	entered := b.sends(h.proves(b, h.chooses(b, who.idp), who), nil)
	if entered.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("%s at %s: the ACS answers %s: %.600s\n%s", who.name, who.idp, entered.Status, entered.body, tail(h.Demo.Logs["rolepass"]))
	}
}

// object is one that the researchers, and the partners' people, may read.
func (h *hospital) object(t *testing.T) (task int64, uri string) {
	t.Helper()
	for _, project := range h.Demo.Projects {
		if project.Title == "Research" {
			return project.Tasks[0].ID, project.Tasks[0].URI
		}
	}
	t.Fatal("no project Research")
	return 0, ""
}

// reads fails unless the object comes, byte for byte.
func (h *hospital) reads(b *browser) {
	b.t.Helper()
	task, uri := h.object(b.t)
	got := b.fetches(h.Demo.Public, task, uri)
	if got.StatusCode != http.StatusOK || got.body != string(h.Object(uri)) {
		b.t.Fatalf("the object: %s, %d bytes", got.Status, len(got.body))
	}
}

// readsNothing fails unless nobody is signed in.
func (h *hospital) readsNothing(b *browser) {
	b.t.Helper()
	task, uri := h.object(b.t)
	if got := b.fetches(h.Demo.Public, task, uri); got.StatusCode != http.StatusUnauthorized {
		b.t.Fatalf("the object: %s", got.Status)
	}
}

// saidSoFar is how long the audit is.
func (h *hospital) saidSoFar(t *testing.T) int {
	t.Helper()
	audit, err := os.ReadFile(h.Demo.Logs["audit"])
	if err != nil {
		t.Fatal(err)
	}
	return len(audit)
}

// saidAfter waits until the audit has a code, after so many bytes.
func (h *hospital) saidAfter(t *testing.T, before int, code string) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		audit, err := os.ReadFile(h.Demo.Logs["audit"])
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(audit[min(before, len(audit)):]), `"`+code+`"`) {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("the audit has no %s; it ends with\n%s", code, tail(h.Demo.Logs["audit"]))
		}
	}
}

func TestEveryProvidersPeopleReadAnObject(t *testing.T) {
	h := running(t)
	for _, who := range people {
		t.Run(who.idp, func(t *testing.T) {
			b := opensBrowser(t)
			h.readsNothing(b)
			h.signsIn(b, who)
			h.reads(b)
		})
	}
}

// An assertion for Rolepass and for STS names both, in one restriction. Without
// AWS's name STS would refuse it, so the login ends before.
func TestAnAssertionIsForTwoAudiences(t *testing.T) {
	h := running(t)
	for _, who := range people {
		t.Run(who.idp, func(t *testing.T) {
			b := opensBrowser(t)
			form := h.proves(b, h.chooses(b, who.idp), who)
			names := responseOf(t, form).texts("Audience")
			if want := []string{"urn:amazon:webservices", h.Demo.Public + "/rolepass/saml/metadata"}; !slices.Equal(slices.Sorted(slices.Values(names)), slices.Sorted(slices.Values(want))) {
				t.Errorf("the audiences are %v", names)
			}
			b.sends(form, nil)
			h.reads(b)
		})
	}
	t.Run("not for STS", func(t *testing.T) {
		if err := h.keycloak.audience(t.Context(), "https://elsewhere.example.com"); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := h.keycloak.audience(context.Background(), "urn:amazon:webservices"); err != nil {
				t.Error(err)
			}
		}()
		h.isRefused(t, "saml_audience")
	})
}

// A tile at the provider posts a response that nobody asked for: it becomes a
// login of ours, which the provider answers without asking again.
func TestATileAtTheProviderStartsAFreshLogin(t *testing.T) {
	h := running(t)
	for _, c := range []struct {
		who  person
		tile string
	}{
		{people[0], h.keycloak.address + "/realms/hospital/protocol/saml/clients/label-studio"},
		{people[1], h.simple.address + "/saml2/idp/SSOService.php?spentityid=" + url.QueryEscape(h.Demo.Public+"/rolepass/saml/metadata")},
	} {
		t.Run(c.who.idp, func(t *testing.T) {
			b := opensBrowser(t)
			tile := h.proves(b, b.opens(c.tile), c.who)
			if responseOf(t, tile).root.SelectAttr("InResponseTo") != nil {
				t.Fatal("the response answers something: it is no tile's")
			}
			fresh := b.sends(tile, nil)
			if to := fresh.Header.Get("Location"); fresh.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, "/rolepass/login") && !strings.HasPrefix(to, h.Demo.Public+"/rolepass/login") {
				t.Fatalf("the tile's response: %s to %q", fresh.Status, to)
			}
			h.readsNothing(b)
			answer := b.opens(b.linked(b.follows(fresh), c.who.idp))
			if strings.Contains(answer.body, `type="password"`) {
				t.Fatal("the provider asks again")
			}
			b.sends(answer, nil)
			h.reads(b)
		})
	}
}
