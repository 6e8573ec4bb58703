//go:build idps

package idps

import (
	"context"
	"net/http"
	"strings"
	"testing"
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
			// The provider itself knows the person no more: a tile asks.
			if who.idp == "keycloak" {
				if tile := b.opens(h.keycloak.address + "/realms/hospital/protocol/saml/clients/label-studio"); !strings.Contains(tile.body, `type="password"`) {
					t.Errorf("Keycloak still knows the person: %.300s", tile.body)
				}
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

// An administrator at Keycloak ends somebody's sessions: the person's browser
// carries Keycloak's LogoutRequest to Rolepass, by redirect and by post.
func TestKeycloakEndsASession(t *testing.T) {
	h := running(t)
	for binding, force := range map[string]string{"redirect": "false", "post": "true"} {
		t.Run(binding, func(t *testing.T) {
			if err := h.keycloak.sets(t.Context(), map[string]string{"saml.force.post.binding": force}); err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := h.keycloak.sets(context.Background(), map[string]string{"saml.force.post.binding": "false"}); err != nil {
					t.Error(err)
				}
			}()
			b := opensBrowser(t)
			h.signsIn(b, people[0])
			h.reads(b)
			at := b.opens(h.keycloak.address + "/realms/hospital/protocol/openid-connect/logout")
			h.settles(b, b.sends(at, nil)) // its page asks whether to sign out
			h.readsNothing(b)
		})
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
