package main

import (
	"crypto/rand"
	"time"

	"github.com/spf13/cobra"

	"github.com/rolepass/rolepass/state"
)

func keysCommand() *cobra.Command {
	return group("keys", "Make the keys that seal sessions and credentials", keysNewCommand())
}

func keysNewCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "new DIRECTORY",
		Short: "Write a new key and print its file's name",
		Long: "Write a new key into the directory that keys in the configuration names. The newest key seals from the next start on, and all keys open.\n" +
			"Keep every key under which accounts in the application were made: without it these accounts cannot be opened.",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			name, err := state.NewKey(args[0], time.Now(), rand.Reader)
			if err != nil {
				return found{err}
			}
			return say(c, "%s\n", name)
		},
	}
}
