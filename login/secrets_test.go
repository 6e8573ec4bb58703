package login_test

import (
	"context"
	"net/url"
	"testing"

	"go.uber.org/goleak"

	"github.com/rolepass/rolepass/e2e/canary/scribe"
	"github.com/rolepass/rolepass/login"
)

// secrets are those of all tests here, and TestMain looks for them in what the
// pages and the audit of all tests say.
var secrets = scribe.New()

func TestMain(m *testing.M) { goleak.VerifyTestMain(secrets.After(m)) }

// Handle is the service's, written down.
func (w *world) Handle(ctx context.Context, r login.Request) login.Page {
	if form, err := url.ParseQuery(string(r.Body)); err == nil {
		secrets.KeepResponse(form.Get("SAMLResponse"))
	}
	secrets.Log.Info("asked", "request", r)
	return secrets.Answered(w.Service.Handle(ctx, r))
}

// Start is the service's, written down.
func (w *world) Start(ctx context.Context, r login.Request) login.Page {
	return secrets.Answered(w.Service.Start(ctx, r))
}
