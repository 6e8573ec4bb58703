package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/rolepass/rolepass/config"
)

func validateCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "validate --config FILE",
		Short: "Say everything that is wrong with a configuration",
		Long:  "Read a configuration strictly and offline, and name every problem with its line; and of the files that it names, what has ended or ends within 14 days. Exit code 1 if there is a problem.",
		Args:  nothing,
	}
	path := configFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		loaded, err := load(c, *path, config.Everything)
		if err != nil {
			return err
		}
		over, ending := loaded.Endings(time.Now())
		for _, warning := range ending {
			fmt.Fprintln(c.ErrOrStderr(), "warning:", warning)
		}
		if len(over) > 0 {
			return found{over}
		}
		return say(c, "%s is fine: %d IdPs, %d token services, %d buckets, %d grants for %d roles\nACS: %s\n",
			*path, len(loaded.IdPs), len(loaded.STS), len(loaded.Buckets), len(loaded.GrantList), len(loaded.RoleSTS), loaded.ACS())
	}
	return c
}
