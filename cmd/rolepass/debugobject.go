package main

import (
	"bufio"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/server"
)

func debugObjectCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "object --config FILE [< LIST]",
		Short: "Print by what the audit knows an object",
		Long: "Read locations, one s3://BUCKET/KEY on a line, and print for each the hash that stands for it under `object` in the audit: one line for each key in `keys`, the newest first, with the key's name. An audit is under the key that was the newest when Rolepass started.\n" +
			"Locations are read from standard input, since keys of objects are data about people, and arguments are seen by everybody on this machine.",
		Args: nothing,
	}
	path := configFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		loaded, err := loadQuietly(*path, config.Everything)
		if err != nil {
			return err
		}
		return eachLine(c.InOrStdin(), func(line string) error {
			location, err := presign.ParseLocation(line)
			if err != nil {
				return found{err}
			}
			all, err := server.AuditedAs(loaded, location.URI())
			if err != nil {
				return found{err}
			}
			for _, one := range all {
				if err := say(c, "%s %s\n", one.Hash, one.Key); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return c
}

// eachLine gives the lines that have something in them; none is a mistake.
func eachLine(from io.Reader, do func(string) error) error {
	lines, some := bufio.NewScanner(from), false
	for lines.Scan() {
		if lines.Text() == "" {
			continue
		}
		some = true
		if err := do(lines.Text()); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return found{err}
	}
	if !some {
		return found{errors.New("nothing was read: write s3://BUCKET/KEY to standard input, one on a line")}
	}
	return nil
}
