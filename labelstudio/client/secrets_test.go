package client_test

import (
	"os"
	"testing"

	"github.com/rolepass/rolepass/e2e/canary/scribe"
)

// secrets are those of all tests here, and TestMain looks for them in what the
// refusals of all tests say.
var secrets = scribe.New()

func TestMain(m *testing.M) {
	secrets.Keep("a bearer", "token-of-ada")
	os.Exit(secrets.After(m).Run())
}
