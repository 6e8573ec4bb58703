package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/rolepass/rolepass/config"
)

// Exit codes.
const (
	fine    = 0
	finding = 1 // something is wrong with what was looked at
	usage   = 2 // something is wrong with how the command was called
)

// streams are what a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// found is a finding: the command worked, and says no.
type found struct{ error }

func (f found) Unwrap() error { return f.error }

// run runs one command and gives its exit code.
func run(ctx context.Context, args []string, s streams) int {
	root := &cobra.Command{
		Use:           "rolepass",
		Short:         "S3 data by SAML role, for an application behind Envoy",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.SetArgs(args)
	root.AddCommand(serveCommand(), validateCommand(), doctorCommand(), generateCommand(), lintCommand(), keysCommand(), sessionsCommand(), readyCommand(), replayCommand(), debugCommand(), versionCommand())
	root.AddCommand(more()...)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return fine
	}
	fmt.Fprintln(s.err, "rolepass:", err)
	if errors.As(err, &found{}) {
		return finding
	}
	return usage
}

// group makes a command that only has commands below it.
func group(use, short string, below ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		return fmt.Errorf("%s needs a command: see rolepass %s --help", use, use)
	}}
	c.AddCommand(below...)
	return c
}

// nothing is for commands that take flags only. The name of a configuration is
// often given without its flag.
func nothing(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s does not take %q: usage is %s, and a configuration is named by --config", c.CommandPath(), args[0], c.UseLine())
	}
	return nil
}

// exactly is for commands with so many arguments, which their usage names.
func exactly(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != n {
			return fmt.Errorf("%s has %d arguments and wants %d: usage is %s", c.CommandPath(), len(args), n, c.UseLine())
		}
		return nil
	}
}

// configFlag gives a command its --config.
func configFlag(c *cobra.Command) *string {
	path := c.Flags().String("config", "", "the configuration `file` (required)")
	if err := c.MarkFlagRequired("config"); err != nil {
		panic(err) // only for a flag that is not there
	}
	return path
}

// say prints what a command answers.
func say(c *cobra.Command, format string, args ...any) error {
	_, err := fmt.Fprintf(c.OutOrStdout(), format, args...)
	return printed(err)
}

// printed makes an answer that could not be written a finding.
func printed(err error) error {
	if err != nil {
		return found{fmt.Errorf("writing the answer: %w", err)}
	}
	return nil
}

// load reads a configuration, and tells of what is allowed and should be known.
func load(c *cobra.Command, path string, needs config.Needs) (*config.Config, error) {
	loaded, err := loadQuietly(path, needs)
	if err != nil {
		return nil, err
	}
	for _, warning := range loaded.Warnings {
		fmt.Fprintln(c.ErrOrStderr(), "warning:", warning)
	}
	return loaded, nil
}

// loadQuietly is for commands that are run often, or by a machine, and about
// something else: validate and serve have said the warnings.
func loadQuietly(path string, needs config.Needs) (*config.Config, error) {
	loaded, err := config.Load(path, needs)
	if err != nil {
		return nil, found{err}
	}
	return loaded, nil
}
