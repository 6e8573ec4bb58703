// Command install brings what the demonstration and the tests run into one
// folder: Envoy, Label Studio with a migrated database, MinIO, and a Python
// with S3 clients.
//
//	go run ./e2e/install            # for the demonstration
//	go run ./e2e/install -tests     # also what only the tests run: the oldest Envoy, a browser, nginx, Valkey
//	go run ./e2e/install -idps      # for make test-idps: also Keycloak
//
// It first looks at the machine and names everything that is missing at once.
// Then it installs what is not there yet, several things at a time; what an
// interrupted run left half done is started over. At the end it writes the
// file env in the folder: one KEY=VALUE per line, fit for a shell to read.
//
// The folder is .cache in the checkout, or what ROLEPASS_CACHE names. Nothing
// outside of it is changed but the caches of pip and go: system packages are
// never touched, only named.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	tests := flag.Bool("tests", false, "want what only the tests run, too: a Chromium or Chrome, nginx, and Valkey or Redis")
	idps := flag.Bool("idps", false, "install Keycloak, and want SimpleSAMLphp")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *tests, *idps)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, tests, idps bool) error {
	root, err := checkout()
	if err != nil {
		return err
	}
	cache, err := cacheFolder(root)
	if err != nil {
		return err
	}
	goVersion, err := wantedGo(filepath.Join(root, "go.mod"))
	if err != nil {
		return err
	}
	found, problems := preflight(thisMachine(ctx), wants{goVersion: goVersion, tests: tests, idps: idps, cache: cache, disk: wantedDisk(cache)})
	if len(problems) > 0 {
		return errors.New(report(problems))
	}
	unlock, err := lock(ctx, cache, os.Stderr)
	if err != nil {
		return err
	}
	defer unlock()
	steps, err := plan(root, cache, found.python)
	if err != nil {
		return err
	}
	if tests {
		oldest, err := oldestEnvoy(root, found.python)
		if err != nil {
			return err
		}
		steps = append(steps, []step{oldest})
	}
	if idps {
		steps = append(steps, []step{keycloakStep()})
	}
	if err := install(ctx, cache, steps, newProgress(os.Stderr)); err != nil {
		return err
	}
	return writeEnv(cache, found)
}

// checkout is the folder of go.mod, at or above the working directory.
func checkout() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("there is no go.mod here or above: run this in a checkout of Rolepass")
		}
		dir = filepath.Dir(dir)
	}
}

// cacheFolder is where everything is installed, as an absolute path.
func cacheFolder(root string) (string, error) {
	dir := os.Getenv("ROLEPASS_CACHE")
	if dir == "" {
		dir = filepath.Join(root, ".cache")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("making the folder for everything that is installed; set ROLEPASS_CACHE to one that can be written: %w", err)
	}
	return dir, nil
}
