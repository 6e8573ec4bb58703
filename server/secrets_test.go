package server

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rolepass/rolepass/e2e/canary/scribe"
)

// secrets are those of all tests here, and TestMain looks for them in the logs,
// audits and metrics of all servers.
var secrets = scribe.New()

func TestMain(m *testing.M) { os.Exit(secrets.After(m).Run()) }

// appKey is the key by which Rolepass signs people into the application.
const appKey = "canary-key-of-the-application"

// searched has what a server with this folder is given kept, and what it writes
// there looked into when the test has ended.
func searched(t *testing.T, dir string) {
	t.Helper()
	secrets.KeepFiles(t, filepath.Join(dir, "keys"))
	secrets.Keep("a key", appKey)
	t.Cleanup(func() {
		text, err := os.ReadFile(filepath.Join(dir, "audit.log"))
		if err == nil { // a server was started
			_, _ = secrets.Writer("the audit").Write(text)
		}
	})
}
