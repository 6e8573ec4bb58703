package samlsts_test

import (
	"os"
	"testing"

	"github.com/rolepass/rolepass/e2e/canary"
)

// secrets are those of all tests here, and TestMain looks for them in the logs
// of all endpoints.
var secrets canary.Suite

func TestMain(m *testing.M) {
	for _, one := range []string{storeSecret, userSecret, storeToken} {
		secrets.Keep("a secret of the store's", one)
	}
	os.Exit(secrets.After(m).Run())
}

// searched has what an endpoint has logged looked into when the test has ended.
func (r *rig) searched() {
	r.t.Cleanup(func() {
		_, _ = secrets.Writer("the log").Write(r.output.Bytes())
		if text, err := os.ReadFile(r.log); err == nil { // there is one where a call was answered
			_, _ = secrets.Writer("the log of what was issued").Write(text)
		}
	})
}
