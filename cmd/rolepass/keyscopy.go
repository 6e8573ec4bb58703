package main

import (
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
		Args: cobra.ExactArgs(2),
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
	var names, copied []string
	for _, pattern := range []string{"*.key", "*.pem"} {
		some, err := filepath.Glob(filepath.Join(from, pattern))
		if err != nil {
			return nil, fmt.Errorf("listing keys in %s: %w", from, err)
		}
		names = append(names, some...)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no *.key and no *.pem file in %s: make a key with `rolepass keys new DIRECTORY`, and put its file there under its own name", from)
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return nil, fmt.Errorf("making the directory of keys: %w", err)
	}
	for _, name := range names {
		target := filepath.Join(to, filepath.Base(name))
		if err := copyKey(name, target); err != nil {
			return nil, err
		}
		copied = append(copied, target)
	}
	return copied, nil
}

// copyKey copies one file. A container that starts again finds its own copy.
func copyKey(name, target string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("reading the key: %w", err)
	}
	file, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		if there, err := os.ReadFile(target); err != nil || string(there) != string(text) {
			return fmt.Errorf("%s is there already and is another key: remove it, or copy to another directory", target)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("writing the key: %w", err)
	}
	if _, err = file.Write(text); err != nil {
		return errors.Join(fmt.Errorf("writing the key: %w", err), file.Close())
	}
	return file.Close()
}
