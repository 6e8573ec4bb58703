//go:build man

package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// more is the command that writes the manual pages. It is not in what is
// released: it brings a reader of Markdown, which nothing else here needs.
func more() []*cobra.Command {
	c := &cobra.Command{
		Use:    "man DIRECTORY",
		Short:  "Write a manual page for each command",
		Hidden: true,
		Args:   exactly(1),
	}
	version := c.Flags().String("of", "", "the `version` that the pages name")
	on := c.Flags().String("date", "", "the `time` that the pages name, as in RFC 3339")
	c.RunE = func(c *cobra.Command, args []string) error {
		date, err := time.Parse(time.RFC3339, *on)
		if err != nil {
			return fmt.Errorf("reading --date: %w", err)
		}
		root := c.Root()
		root.DisableAutoGenTag = true
		return doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "rolepass " + *version, Manual: "Rolepass", Date: &date}, args[0])
	}
	return []*cobra.Command{c}
}
