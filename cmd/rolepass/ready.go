package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/rolepass/rolepass/config"
)

// readyPatience is how long a Rolepass that serves may take to say so.
const readyPatience = 5 * time.Second

// readyCommand is for health checks of containers, in which there is no other
// program that could ask.
func readyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "ready --config FILE",
		Short: "Ask the Rolepass on this machine whether it serves",
		Long:  "Ask the admin address of the configuration whether Rolepass serves, for health checks. Exit code 1 if it does not.",
		Args:  nothing,
	}
	path := configFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		loaded, err := loadQuietly(*path, config.Everything)
		if err != nil {
			return err
		}
		if err := isReady(c.Context(), "http://"+loaded.Admin+"/readyz"); err != nil {
			return found{err}
		}
		return say(c, "serving\n")
	}
	return c
}

func isReady(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, readyPatience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("Rolepass does not answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return errors.Join(fmt.Errorf("Rolepass answers %s", response.Status), response.Body.Close())
	}
	return response.Body.Close()
}
