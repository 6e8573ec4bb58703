package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

// keysCopyCommand is for secrets that are mounted: Kubernetes lets a pod's
// whole group read them, and a key that a group reads is refused.
func keysCopyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "copy FROM TO",
		Short: "Copy keys to where only this user may read them",
		Long: "Copy the *.key and *.pem files of a directory into another, mode 0600, and print their names. It is for mounted secrets, which others than their owner can read.\n" +
			"A file that is there already and says something else is not overwritten.",
		Args: exactly(2),
		RunE: func(c *cobra.Command, args []string) error {
			names, err := copyKeys(args[0], args[1])
			if err != nil {
				return found{err}
			}
			for _, name := range names {
				if err := say(c, "%s\n", name); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func copyKeys(from, to string) ([]string, error) {
	entries, err := os.ReadDir(from)
	if err != nil {
		return nil, fmt.Errorf("listing keys: %w", err)
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return nil, fmt.Errorf("making the directory of keys: %w", err)
	}
	var copied []string
	for _, entry := range entries {
		if kind := filepath.Ext(entry.Name()); kind != ".key" && kind != ".pem" {
			continue
		}
		target := filepath.Join(to, entry.Name())
		if err := copyKey(filepath.Join(from, entry.Name()), target); err != nil {
			return nil, err
		}
		copied = append(copied, target)
	}
	if len(copied) == 0 {
		return nil, fmt.Errorf("no *.key and no *.pem file in %s: make a key with `rolepass keys new DIRECTORY`, and put its file there under its own name", from)
	}
	return copied, nil
}

// copyKey copies one file. It has its name when it is whole, and a container that
// starts again finds its own copy.
func copyKey(name, target string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("reading the key: %w", err)
	}
	if _, err := os.Lstat(target); err == nil {
		return isCopy(target, text)
	}
	part, err := os.CreateTemp(filepath.Dir(target), ".copying-*") // mode 0600
	if err != nil {
		return fmt.Errorf("writing the key: %w", err)
	}
	defer os.Remove(part.Name())
	if _, err := part.Write(text); err != nil {
		return errors.Join(fmt.Errorf("writing the key: %w", err), part.Close())
	}
	if err := part.Close(); err != nil {
		return fmt.Errorf("writing the key: %w", err)
	}
	if err := os.Link(part.Name(), target); err != nil { // over no other file
		return fmt.Errorf("naming the key: %w", err)
	}
	return nil
}

// isCopy says what is wrong with a file that is there already.
func isCopy(target string, text []byte) error {
	info, err := os.Lstat(target)
	if err != nil {
		return fmt.Errorf("looking at the copy: %w", err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s is there already and is no file of this user alone (%s): remove it, or copy to another directory", target, info.Mode())
	}
	if there, err := os.ReadFile(target); err != nil || !bytes.Equal(there, text) {
		return fmt.Errorf("%s is there already and is another key: remove it, or copy to another directory", target)
	}
	return nil
}
