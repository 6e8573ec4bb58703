package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rolepass/rolepass/e2e/stack"
)

func claims(t *testing.T, dir string) *os.File {
	t.Helper()
	lock, err := claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	return lock
}

func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestOnlyOneDemonstrationRuns(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	if _, ok := running(dir); ok {
		t.Fatal("one runs before any was started")
	}
	lock := claims(t, dir)
	kept := filepath.Join(dir, "kept")
	if err := os.WriteFile(kept, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := claim(dir); !errors.Is(err, errRunning) {
		t.Errorf("a second one: %v", err)
	}
	if err := startDetached(t.Context(), dir); !errors.Is(err, errRunning) {
		t.Errorf("a second one, detached: %v", err)
	}
	if !there(kept) {
		t.Error("the second one emptied the folder of the first")
	}
	if pid, ok := running(dir); !ok || pid != os.Getpid() {
		t.Errorf("running is %d, %v", pid, ok)
	}
	release(dir, lock)
	if _, ok := running(dir); ok {
		t.Error("it runs after its end")
	}
	lock = claims(t, dir)
	defer release(dir, lock)
	if there(kept) {
		t.Error("the folder was not emptied")
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder is %v, %v", info.Mode(), err)
	}
}

// A demonstration that was killed leaves its number behind, which may be
// another program's by now: here it is this test's own.
func TestANumberThatWasLeftBehindIsNobody(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{pidFile, demoFile} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // ending nobody twice is fine
		if err := end(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
	}
	if there(filepath.Join(dir, demoFile)) {
		t.Error("demo.json still tells scripts of a demonstration")
	}
	release(dir, claims(t, dir))
}

func TestDemoJSONIsWhole(t *testing.T) {
	dir := t.TempDir()
	if err := describe(dir, stack.Demo{Public: "http://localhost:8080"}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, demoFile))
	if err != nil {
		t.Fatal(err)
	}
	var demo stack.Demo
	if err := json.Unmarshal(text, &demo); err != nil || demo.Public != "http://localhost:8080" {
		t.Errorf("read back: %+v, %v", demo, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*.unfinished")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
