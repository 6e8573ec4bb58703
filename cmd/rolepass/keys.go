package main

import (
	"crypto/rand"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/server"
	"github.com/rolepass/rolepass/state"
)

func keysCommand() *cobra.Command {
	return group("keys", "Make the keys that seal sessions and credentials, and those of SAML", keysNewCommand(), keysRotateCommand(), keysSAMLCommand(), keysCopyCommand())
}

func keysRotateCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "rotate --config FILE",
		Short: "Make a new key and let a running Rolepass seal with it",
		Long: "Write a new key into the directory that keys names, and have the Rolepass that serves this configuration seal with it. Nobody is signed out: the older keys go on opening what they sealed.\n" +
			"With several replicas (state.kind valkey) do not: the others would not open what this one seals before they are restarted with the new key. Make it with `rolepass keys new`, give it to all, and restart them together.\n" +
			"Delete an older key when session.absolute has passed, unless accounts in the application were made under it.",
		Args: nothing,
	}
	path := configFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		loaded, err := loadQuietly(*path, config.Everything)
		if err != nil {
			return err
		}
		operator, err := server.NewOperator(loaded)
		if err != nil {
			return found{err}
		}
		name, err := state.NewKey(loaded.Keys, time.Now(), rand.Reader)
		if err != nil {
			return found{err}
		}
		if err := operator.ReloadKeys(c.Context()); err != nil {
			return found{fmt.Errorf("the key %s is written, and seals from the next start on; the running Rolepass does not have it yet: %w", name, err)}
		}
		if loaded.State.Kind == config.StateValkey {
			fmt.Fprintln(c.ErrOrStderr(), "warning: other replicas do not have this key, and open nothing that is sealed with it: give it to all, and restart them now")
		}
		return say(c, "%s\n", name)
	}
	return c
}

func keysSAMLCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "saml DIRECTORY",
		Short: "Write a new SAML key with its certificate and print its file's name",
		Long: "Write a new key into the directory that saml_keys names. The oldest key there signs, and the certificates of all are in our metadata.\n" +
			"To roll over: write a new key, restart, let the IdP read the metadata again, delete the old key's file, restart.",
		Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			name, err := saml.NewSigningKey(args[0], time.Now(), rand.Reader)
			if err != nil {
				return found{err}
			}
			return say(c, "%s\n", name)
		},
	}
}

func keysNewCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "new DIRECTORY",
		Short: "Write a new key and print its file's name",
		Long: "Write a new key into the directory that keys in the configuration names. The newest key seals from the next start on, and all keys open.\n" +
			"Keep every key under which accounts in the application were made: without it these accounts cannot be opened.",
		Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			name, err := state.NewKey(args[0], time.Now(), rand.Reader)
			if err != nil {
				return found{err}
			}
			return say(c, "%s\n", name)
		},
	}
}
