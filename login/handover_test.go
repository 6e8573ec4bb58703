package login_test

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/saml/samltest"
	"github.com/rolepass/rolepass/session"
)

// interrupted is randomness in whose first draw, once it is armed, something else
// happens.
type interrupted struct {
	io.Reader
	armed atomic.Bool
	do    func()
}

func (i *interrupted) Read(p []byte) (int, error) {
	if i.armed.CompareAndSwap(true, false) {
		i.do()
	}
	return i.Reader.Read(p)
}

// Whoever is signed out between STS's failure and the login's waiting has no login
// that waits, as has who is signed out before or after: else it could be tried again,
// and become a session.
func TestSigningOutAsALoginBeginsToWait(t *testing.T) {
	ends := map[string]func(w *world, elsewhere *browser){
		"by the IdP": func(w *world, _ *browser) {
			w.frame(byRedirect(w.idp.LogoutQuery(samltest.Logout{Destination: slo, NameID: "4711"})))
		},
		"by themselves, in another window": func(_ *world, elsewhere *browser) { elsewhere.asks(login.Request{Path: login.LogoutPath}) },
		"by an operator": func(w *world, _ *browser) {
			w.EndSessions(context.Background(), func(l session.Listed) bool { return l.Principal.Email == "ada@example.com" })
		},
	}
	moments := map[string]func(w *world, end *interrupted){
		"as its secret is drawn": func(w *world, end *interrupted) { end.Reader, w.Rand = w.Rand, end },
		"as it is sealed":        func(w *world, end *interrupted) { end.Reader, w.Sealer.Rand = w.Sealer.Rand, end },
	}
	for by, end := range ends {
		for moment, hook := range moments {
			t.Run(by+", "+moment, func(t *testing.T) {
				w := withLogout(t)
				elsewhere, b := w.browser(), w.browser()
				elsewhere.signsIn()
				moment := &interrupted{do: func() { end(w, elsewhere) }}
				hook(w, moment)
				w.sts = func(*sts.AssumeRoleWithSAMLInput, *sts.AssumeRoleWithSAMLOutput) error {
					moment.armed.Store(true) // what is drawn next is for the login that waits
					return errAway
				}
				page := b.signsIn()
				if moment.armed.Load() {
					t.Fatal("nobody was signed out")
				}
				if n, bytes := w.Waits(); n != 0 || bytes != 0 {
					t.Errorf("%d logins wait in %d bytes", n, bytes)
				}
				if page.Status != http.StatusForbidden || code(page) != login.CodeEndedMeanwhile || header(page, "set-cookie") != "" {
					t.Errorf("answered %d, %v", page.Status, page.Refusal)
				}
				w.answers(nil)
				if b.signsIn(); b.session() == nil {
					t.Error("the next login was ended, too")
				}
			})
		}
		t.Run(by+", while it waits", func(t *testing.T) {
			w := withLogout(t)
			elsewhere := w.browser()
			elsewhere.signsIn()
			b, at := w.waits()
			end(w, elsewhere)
			w.answers(nil)
			if page := b.tries(at); code(page) != login.CodeRetryGone || b.session() != nil {
				t.Errorf("tried again all the same: %d, %v", page.Status, page.Refusal)
			}
		})
	}
}
