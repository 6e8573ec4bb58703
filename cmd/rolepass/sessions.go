package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/server"
)

func sessionsCommand() *cobra.Command {
	return group("sessions", "See who is signed in, and end sessions", sessionsListCommand(), sessionsRevokeCommand())
}

func sessionsListCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "list --config FILE",
		Short: "List the sessions of a running Rolepass",
		Long:  "List the sessions of the Rolepass that serves this configuration, over its admin_socket, the oldest first.",
		Args:  nothing,
	}
	path := configFlag(c)
	asJSON := c.Flags().Bool("json", false, "write JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		operator, err := operatorOf(c, *path)
		if err != nil {
			return err
		}
		all, err := operator.Sessions(c.Context())
		if err != nil {
			return found{err}
		}
		if *asJSON {
			return printed(json.NewEncoder(c.OutOrStdout()).Encode(all))
		}
		table := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "SESSION\tIDP\tPERSON\tEMAIL\tSINCE\tLAST SEEN\tUNTIL\tROLES")
		for _, s := range all {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Session, s.IdP, s.Person, s.Email, stamp(s.Created), stamp(s.Seen), stamp(s.Expires), strings.Join(s.Roles, ","))
		}
		return printed(table.Flush())
	}
	return c
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func sessionsRevokeCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "revoke --config FILE (--session S | --person P | --role ARN)",
		Short: "End sessions at once",
		Long:  "End one session, all of a person's (by NameID, RoleSessionName or e-mail address), or all that hold a role. Their next request is refused, at other replicas two seconds later. Exits with 1 if there was none.",
		Args:  nothing,
	}
	path := configFlag(c)
	var v server.Revoke
	c.Flags().StringVar(&v.Session, "session", "", "the `name` of one session, as sessions list shows it")
	c.Flags().StringVar(&v.Person, "person", "", "all sessions of a `person`")
	c.Flags().StringVar(&v.Role, "role", "", "all sessions with a role, by its `ARN`")
	c.MarkFlagsOneRequired("session", "person", "role")
	c.MarkFlagsMutuallyExclusive("session", "person", "role")
	c.RunE = func(c *cobra.Command, _ []string) error {
		operator, err := operatorOf(c, *path)
		if err != nil {
			return err
		}
		ended, err := operator.Revoke(c.Context(), v)
		if err != nil {
			return found{err}
		}
		if ended == 0 {
			return found{errors.New("no such session")}
		}
		return say(c, "%d ended\n", ended)
	}
	return c
}

func operatorOf(c *cobra.Command, path string) (*server.Operator, error) {
	loaded, err := loadQuietly(path, config.Everything)
	if err != nil {
		return nil, err
	}
	operator, err := server.NewOperator(loaded)
	if err != nil {
		return nil, found{err}
	}
	return operator, nil
}
