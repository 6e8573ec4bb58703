package login_test

import (
	"context"
	"testing"

	"github.com/rolepass/rolepass/login"
)

// Where too many logins begin, no more do: a signed request costs more than all
// else that a stranger can ask for. Nobody waits in a queue that grows.
func TestTooManyLoginsBeginNoMore(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		turns *login.Turns
		ctx   func() (context.Context, context.CancelFunc)
	}{
		"no place is left": {login.NewTurns(0, 0), func() (context.Context, context.CancelFunc) { return context.WithCancel(t.Context()) }},
		"no turn comes": {login.NewTurns(0, 1), func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			return ctx, cancel
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w.Signing = c.turns
			ctx, cancel := c.ctx()
			defer cancel()
			page := w.Start(ctx, login.Request{Method: "GET", Target: "/"})
			if page.Status != 503 || page.Refusal == nil || page.Refusal.Code != login.CodeBusy || header(page, "retry-after") == "" || header(page, "set-cookie") != "" {
				t.Errorf("answered %d, %v", page.Status, page.Refusal)
			}
		})
	}
}

// Each turn is handed back, so one is enough for any number of logins.
func TestATurnIsHandedBack(t *testing.T) {
	w := newWorld(t)
	w.Signing = login.NewTurns(1, 0)
	for range 3 {
		if page := w.Start(t.Context(), login.Request{Method: "GET", Target: "/"}); page.Event != "start" {
			t.Fatalf("answered %d, %v", page.Status, page.Refusal)
		}
	}
}

// Whoever is in renews while strangers keep all turns.
func TestARenewalWaitsForNoStranger(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	if page := b.signsIn(); page.Event != "login" {
		t.Fatalf("answered %d, %v", page.Status, page.Refusal)
	}
	w.Signing = login.NewTurns(0, 0)
	w.wasAsked(b.asks(login.Request{Path: login.RenewPath}))
}
