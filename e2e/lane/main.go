// Command lane runs a command when what it tests has changed since it last
// succeeded on this machine. It is for tests that are too slow for every run:
//
//	go run ./e2e/lane -name idps -inputs saml,login,go.mod -- make test-idps
//
// What was tested is a hash over the input files, as they are on the disk, and
// over the command. A success leaves a stamp in ROLEPASS_CACHE/lanes; a command
// that is not run because of one is said to be so, with the way to run it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// nameGrammar keeps a lane's name one folder.
var nameGrammar = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// lane is one command with what it depends on.
type lane struct {
	name    string
	root    string // the checkout
	cache   string
	inputs  []string
	command []string
	now     func() time.Time
	run     func(ctx context.Context, dir string, command []string) error
	say     io.Writer
}

func main() {
	name := flag.String("name", "", "what the lane is called: a-z, 0-9 and hyphens")
	inputs := flag.String("inputs", "", "files and folders of the checkout, separated by commas")
	flag.Parse()
	l := lane{name: *name, root: ".", cache: os.Getenv("ROLEPASS_CACHE"), command: flag.Args(), now: time.Now, run: execute, say: os.Stdout}
	if *inputs != "" {
		l.inputs = strings.Split(*inputs, ",")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := l.drive(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "lane:", err)
		os.Exit(1)
	}
}

// drive runs the command unless the very same was green before.
func (l lane) drive(ctx context.Context) error {
	if !nameGrammar.MatchString(l.name) || len(l.inputs) == 0 || len(l.command) == 0 || l.cache == "" {
		return errors.New("usage: ROLEPASS_CACHE=FOLDER lane -name NAME -inputs FILE,FOLDER,... -- COMMAND")
	}
	hash, err := hashOf(ctx, l.root, l.inputs, l.command)
	if err != nil {
		return err
	}
	stamp := filepath.Join(l.cache, "lanes", l.name, hash)
	if when, err := os.ReadFile(stamp); err == nil {
		fmt.Fprintf(l.say, "The lane %s is not run: nothing in %s changed since it was green (%s). To run it all the same: %s\n",
			l.name, strings.Join(l.inputs, ", "), strings.TrimSpace(string(when)), strings.Join(l.command, " "))
		return nil
	}
	fmt.Fprintf(l.say, "The lane %s runs: this state of %s was not green here before.\n", l.name, strings.Join(l.inputs, ", "))
	if err := l.run(ctx, l.root, l.command); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(l.command, " "), err)
	}
	return l.stamp(ctx, stamp, hash)
}

// stamp notes a success, if what is there now is what was tested.
func (l lane) stamp(ctx context.Context, stamp, tested string) error {
	now, err := hashOf(ctx, l.root, l.inputs, l.command)
	if err != nil {
		return err
	}
	if now != tested {
		fmt.Fprintf(l.say, "The lane %s was green, but its inputs changed meanwhile: it will run again.\n", l.name)
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(stamp), 0o755); err != nil {
		return err
	}
	return os.WriteFile(stamp, []byte(l.now().UTC().Format(time.RFC3339)+"\n"), 0o644)
}

// execute runs the command. When we are asked to end, it gets an interrupt and
// ends what it started itself.
func execute(ctx context.Context, dir string, command []string) error {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	return cmd.Run()
}
