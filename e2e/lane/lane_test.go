package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// checkout is a repository with two folders, and a lane over one of them.
type checkout struct {
	*testing.T
	lane
	said bytes.Buffer
	ran  int
	fail error
}

func newCheckout(t *testing.T) *checkout {
	c := &checkout{T: t}
	c.lane = lane{
		name: "slow", root: t.TempDir(), cache: t.TempDir(), inputs: []string{"login"}, command: []string{"make", "slow"},
		now: func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }, say: &c.said,
	}
	c.run = func(context.Context, string, []string) error { c.ran++; return c.fail }
	git := exec.Command("git", "init", "-q", c.root)
	if said, err := git.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	c.write("login/login.go", "package login\n")
	c.write("docs/text.md", "text\n")
	c.write(".gitignore", "*.log\n")
	return c
}

func (c *checkout) write(name, content string) {
	c.Helper()
	path := filepath.Join(c.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		c.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		c.Fatal(err)
	}
}

// runs drives the lane once and checks how often its command ran so far.
func (c *checkout) runs(want int, because string) {
	c.Helper()
	if err := c.drive(c.Context()); !errors.Is(err, c.fail) {
		c.Fatal(err)
	}
	if c.ran != want {
		c.Errorf("%s: the command ran %d times, want %d", because, c.ran, want)
	}
}

func TestALaneRunsOnceForEachStateOfItsInputs(t *testing.T) {
	c := newCheckout(t)
	c.runs(1, "new")
	c.runs(1, "unchanged")
	if said := c.said.String(); !strings.Contains(said, "is not run") || !strings.Contains(said, "2026-01-02T03:04:05Z") || !strings.Contains(said, "make slow") {
		t.Errorf("a lane that is not run says %q", said)
	}
	c.write("docs/text.md", "other text\n")
	c.write("login/run.log", "ignored\n")
	c.runs(1, "something else changed")
	c.write("login/login.go", "package login // changed\n")
	c.runs(2, "a file changed")
	c.write("login/new.go", "package login\n")
	c.runs(3, "a file was added")
	c.write("login/login.go", "package login\n")
	if err := os.Remove(filepath.Join(c.root, "login/new.go")); err != nil {
		t.Fatal(err)
	}
	c.runs(3, "as at first again")
	c.command = []string{"make", "slower"}
	c.runs(4, "another command")
}

func TestALaneThatFailsLeavesNoStamp(t *testing.T) {
	c := newCheckout(t)
	c.fail = errors.New("red")
	c.runs(1, "red")
	c.runs(2, "still red")
	c.fail = nil
	c.runs(3, "green")
	c.runs(3, "still green")
}

// What was edited while the command ran was not tested.
func TestALaneWhoseInputsChangeMeanwhileRunsAgain(t *testing.T) {
	c := newCheckout(t)
	run := c.run
	c.run = func(ctx context.Context, dir string, command []string) error {
		c.write("login/login.go", "package login // edited\n")
		return run(ctx, dir, command)
	}
	c.runs(1, "edited while it ran")
	c.run = run
	c.runs(2, "what was edited was not tested")
}

func TestALaneOverNothingIsAnError(t *testing.T) {
	c := newCheckout(t)
	c.inputs = []string{"login", "logim"}
	if err := c.drive(t.Context()); err == nil || !strings.Contains(err.Error(), "logim") || c.ran != 0 {
		t.Errorf("err %v, ran %d times", err, c.ran)
	}
	for _, name := range []string{"", "..", "a/b"} {
		c.name, c.inputs = name, []string{"login"}
		if err := c.drive(t.Context()); err == nil || c.ran != 0 {
			t.Errorf("the name %q is taken", name)
		}
	}
}
