package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rolepass/rolepass/e2e/stack"
)

// show starts everything, says what to try, and ends it when ctx does.
func show(ctx context.Context, dir string) error {
	tools, err := stack.FromEnvironment()
	if err != nil {
		return err
	}
	lock, err := claim(dir)
	if err != nil {
		return err
	}
	defer release(dir, lock)
	fmt.Println("Starting:")
	starting, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	s, err := stack.Start(starting, stack.Options{Dir: dir, Tools: tools, Progress: os.Stdout, PublicPort: port()})
	if err != nil && ctx.Err() != nil {
		return errors.New("ended while it started; nothing is left running")
	}
	if err != nil {
		return err
	}
	defer s.Stop()
	other, err := s.View(starting)
	if err != nil {
		return err
	}
	s.Demo.Viewer = other.Public
	fmt.Print(invitation(s.Demo))
	if err := describe(dir, s.Demo); err != nil {
		return err
	}
	died := s.Died(ctx)
	for {
		select {
		case <-ctx.Done():
			fmt.Println("\nEnding everything …")
			s.Stop()
			fmt.Println("Done. What was written is in", dir)
			return nil
		case name := <-died:
			fmt.Printf("%s ended, and not by us; the rest goes on. Its log: %s\n", name, s.Demo.Logs[name])
		}
	}
}

// port is the wanted one, or 0 for any, if that is taken.
func port() int {
	if !stack.PortFree(wantedPort) {
		return 0
	}
	return wantedPort
}

// describe writes demo.json, whole or not at all, and last: who finds it finds
// everything ready.
func describe(dir string, demo stack.Demo) error {
	text, err := json.MarshalIndent(demo, "", "  ")
	if err != nil {
		return err
	}
	unfinished := filepath.Join(dir, demoFile+".unfinished")
	if err := os.WriteFile(unfinished, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(unfinished, filepath.Join(dir, demoFile))
}

// invitation is what a person reads when everything is ready.
func invitation(demo stack.Demo) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nReady. Open %s\n\n", demo.Public)
	fmt.Fprintf(&b, "  %-14s %-18s %s\n", "name", "password", "roles")
	for _, account := range demo.Accounts {
		var roles []string
		for _, role := range account.Roles {
			roles = append(roles, role[strings.LastIndexByte(role, '/')+1:])
		}
		fmt.Fprintf(&b, "  %-14s %-18s %s\n", account.Name, account.Password, strings.Join(roles, ", "))
	}
	b.WriteString(`
Try this:
  1. Sign in as radiologist and open the project "Radiology": the pictures show.
  2. Sign out (the menu at the top right), sign in as researcher: the same
     pictures are refused, and the project "Research" works.
  3. contractor has a role that no grant names, and is told so.
`)
	if demo.Viewer != "" {
		fmt.Fprintf(&b, "  4. %s is another application. Open it in a window of its own: cookies\n     know no ports.\n", demo.Viewer)
	}
	b.WriteString(`
Everything that happened is in the logs that demo.json names; audit.log says
who read what. Ctrl-C here, or make demo-stop, ends everything.
`)
	return b.String()
}
