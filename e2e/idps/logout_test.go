//go:build idps

package idps

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A logout at the application ends the session at the provider, too: Keycloak
// and SimpleSAMLphp take our signed LogoutRequest, answer it signed, and ask
// for the password again.
func TestALogoutEndsBothSessions(t *testing.T) {
	h := running(t)
	for _, who := range people[:2] {
		t.Run(who.idp, func(t *testing.T) {
			b := opensBrowser(t)
			h.signsIn(b, who)
			h.reads(b)
			out := b.asks("GET", h.Demo.Public+"/logout", nil, navigation("same-origin"))
			if to := out.Header.Get("Location"); out.StatusCode != http.StatusSeeOther || !strings.Contains(to, "SAMLRequest=") || !strings.Contains(to, "&Signature=") {
				t.Fatalf("the logout goes with %s to %q", out.Status, to)
			}
			if out.Header.Get("Clear-Site-Data") == "" {
				t.Error("the browser keeps what it has of the site")
			}
			h.readsNothing(b)
			last := h.settles(b, out)
			if last.StatusCode != http.StatusOK || last.Request.URL.Path != "/rolepass/signed-out" {
				t.Fatalf("the logout ends at %s: %s: %.600s\n%s", last.Request.URL, last.Status, last.body, tail(h.Demo.Logs["audit"]))
			}
			if who.idp == "keycloak" {
				h.forgotten(b)
			}
		})
	}
}

// settles follows redirects and forms that send themselves.
func (h *hospital) settles(b *browser, p page) page {
	b.t.Helper()
	for range 6 {
		p = b.follows(p)
		if !strings.Contains(p.body, `name="SAML`) {
			return p
		}
		p = b.sends(p, nil)
	}
	return p
}

// withinReach is how soon a logout at the provider must have reached the data.
const withinReach = 5 * time.Second

// A person signs out at the provider itself: the browser carries its
// LogoutRequest to Rolepass, by redirect or by post, and five seconds later at the
// latest nothing is read. Another person's session stays.
func TestALogoutAtTheProviderEndsASession(t *testing.T) {
	h := running(t)
	// It answers a login by post with a logout by post, where it has an address
	// for that.
	atKeycloak := func(post string) func(*browser) page {
		return func(b *browser) page {
			if err := h.keycloak.sets(t.Context(), map[string]string{"saml_single_logout_service_url_post": post}); err != nil {
				t.Fatal(err)
			}
			asked := b.opens(h.keycloak.address + "/realms/hospital/protocol/openid-connect/logout")
			return b.sends(asked, nil) // its page asks whether to sign out
		}
	}
	defer func() {
		if err := h.trusted(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	for name, c := range map[string]struct {
		who     person
		begins  func(*browser) page
		binding string
	}{
		"Keycloak, by redirect": {people[0], atKeycloak(""), "redirect"},
		"Keycloak, by post":     {people[0], atKeycloak(h.Demo.Public + "/rolepass/saml/slo"), "post"},
		"SimpleSAMLphp": {people[1], func(b *browser) page {
			at := b.asks("GET", h.simple.address+"/saml2/idp/initSLO.php?RelayState="+url.QueryEscape(h.simple.address+"/"), nil, navigation("none"))
			for range 3 { // its own pages come first
				if to, err := at.Location(); err == nil && "http://"+to.Host == h.simple.address {
					at = b.asks("GET", to.String(), nil, navigation("same-origin"))
				}
			}
			return at
		}, "redirect"},
	} {
		t.Run(name, func(t *testing.T) {
			b, other := opensBrowser(t), opensBrowser(t)
			h.signsIn(other, people[2])
			h.signsIn(b, c.who)
			h.reads(b)
			began := time.Now()
			sent := c.begins(b)
			if carried := b.carries(sent, "SAMLRequest"); carried != c.binding {
				t.Fatalf("the provider asks by %q: %s %s: %.600s", carried, sent.Status, sent.Header.Get("Location"), sent.body)
			}
			h.settles(b, sent)
			h.readsNothing(b)
			if took := time.Since(began); took > withinReach {
				t.Errorf("the logout reaches the data after %v", took)
			}
			h.reads(other)
		})
	}
}

// carries says by which binding an answer leads on with a message of SAML;
// empty: it does not.
func (b *browser) carries(p page, message string) string {
	if strings.Contains(p.body, `name="`+message+`"`) {
		return "post"
	}
	if to, err := p.Location(); err == nil && to.Query().Has(message) {
		return "redirect"
	}
	return ""
}

// Where the provider's metadata has a single logout by post alone, our
// LogoutRequest is a form, signed within, and Keycloak takes that as well.
func TestALogoutByPostEndsBothSessions(t *testing.T) {
	h := running(t)
	document, err := get(t.Context(), h.keycloak.metadata())
	if err != nil {
		t.Fatal(err)
	}
	byPost := regexp.MustCompile(`<md:SingleLogoutService [^>]*HTTP-Redirect"[^>]*>(</md:SingleLogoutService>)?`).ReplaceAll(document, nil)
	if len(byPost) == len(document) || !strings.Contains(string(byPost), "SingleLogoutService") {
		t.Fatalf("Keycloak's metadata has no single logout by both: %s", document)
	}
	metadata := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(byPost) }))
	defer metadata.Close()
	err = h.WithIdPs(t.Context(), func(name string, settings map[string]any) {
		if name == "keycloak" {
			settings["metadata"] = metadata.URL
		}
	}, func() {
		b := opensBrowser(t)
		h.signsIn(b, people[0])
		h.reads(b)
		began := time.Now()
		out := b.asks("GET", h.Demo.Public+"/logout", nil, navigation("same-origin"))
		h.readsNothing(b)
		if took := time.Since(began); took > withinReach {
			t.Errorf("the logout reaches the data after %v", took)
		}
		if carried := b.carries(out, "SAMLRequest"); carried != "post" {
			t.Fatalf("the LogoutRequest goes by %q: %s", carried, out.Status)
		}
		last := h.settles(b, b.follows(out))
		if last.StatusCode != http.StatusOK || last.Request.URL.Path != "/rolepass/signed-out" {
			t.Fatalf("the logout ends at %s: %s: %.600s\n%s", last.Request.URL, last.Status, last.body, tail(h.Demo.Logs["audit"]))
		}
		h.forgotten(b)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// forgotten fails unless Keycloak itself knows the person no more: a tile asks.
func (h *hospital) forgotten(b *browser) {
	b.t.Helper()
	if tile := b.opens(h.keycloak.address + "/realms/hospital/protocol/saml/clients/label-studio"); !strings.Contains(tile.body, `type="password"`) {
		b.t.Errorf("Keycloak still knows the person: %.300s", tile.body)
	}
}

// The wrong key's request is refused by Keycloak, so that what it took above
// was our signature.
func TestKeycloakChecksOurSignature(t *testing.T) {
	h := running(t)
	if err := h.keycloak.sets(t.Context(), map[string]string{"saml.signing.certificate": encryptionCertificate(t)}); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.trusted(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	b := opensBrowser(t)
	if got := h.chooses(b, "keycloak"); strings.Contains(got.body, `type="password"`) {
		t.Fatal("Keycloak takes a request that another key signed")
	}
}
