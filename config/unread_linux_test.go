package config_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/rolepass/rolepass/config"
)

// TestWhatAnotherUserMade: files that root made for a service are its first
// mistake. Nothing may then advise to make a new key.
func TestWhatAnotherUserMade(t *testing.T) {
	dir := home(t)
	write(t, dir, "idp.xml", "<x/>", 0o600)
	write(t, dir, "rolepass.yaml", strings.Replace(minimal, "http://127.0.0.1:9003/metadata", "idp.xml", 1), 0o644)
	for _, name := range []string{"keys", "idp.xml", "label-studio.secret"} {
		if err := os.Chmod(filepath.Join(dir, name), 0); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(dir, "keys"), 0o700) }) // to be removed
	for _, above := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(above, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	err := make(chan error)
	go func() {
		// Root may read everything. The thread ends with this goroutine, since it
		// stays locked, and the loss of its rights with it.
		runtime.LockOSThread()
		if os.Geteuid() == 0 {
			_ = syscall.Setfsuid(65534) // it reports no error, and a root that reads on fails the test
		}
		_, problems := config.Load(filepath.Join(dir, "rolepass.yaml"), config.Everything)
		err <- problems
	}()
	problems := <-err
	if problems == nil {
		t.Fatal("files that cannot be read are fine")
	}
	for _, name := range []string{"keys", "idp.xml", "label-studio.secret"} {
		if want := filepath.Join(dir, name) + " may not be read by the user that this runs as"; !strings.Contains(problems.Error(), want) {
			t.Errorf("nothing says %q:\n%v", want, problems)
		}
	}
	if strings.Contains(problems.Error(), "rolepass keys new") {
		t.Errorf("a new key is advised:\n%v", problems)
	}
}
