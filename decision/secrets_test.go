package decision_test

import (
	"context"
	"os"
	"testing"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/e2e/canary/scribe"
	"github.com/rolepass/rolepass/presign"
)

// secrets are those of all tests here, and TestMain looks for them in the audit,
// the metrics and the pages of all decisions.
var secrets = scribe.New()

func TestMain(m *testing.M) { os.Exit(secrets.After(m).Run()) }

// Decide is the decider's, written down.
func (w *world) Decide(ctx context.Context, r decision.Request) decision.Decision {
	d := w.Decider.Decide(ctx, r)
	secrets.KeepTarget(d.Signed.Target())
	if d.Kind == decision.Refuse || d.Kind == decision.Page {
		secrets.Answered(d.Answer)
	}
	secrets.Log.Info("decided", "code", d.Code, "signed", d.Signed, "authorization", d.Authorization)
	return d
}

// kept gives credentials of a role, and keeps them.
func kept(c *presign.Credentials) *presign.Credentials {
	secrets.Keep("a secret access key", string(c.SecretAccessKey.Reveal()))
	secrets.Keep("a session token", string(c.SessionToken.Reveal()))
	return c
}
