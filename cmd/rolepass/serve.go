package main

import (
	"log/slog"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/server"
	"github.com/rolepass/rolepass/telemetry"
)

func serveCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Answer Envoy's Check calls",
		Long:  "Answer Envoy's Check calls until SIGTERM or SIGINT; then let answers under way finish. SIGHUP does nothing: the configuration is read at the start.",
		Args:  nothing,
	}
	path := configFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		signal.Ignore(syscall.SIGHUP) // log rotation and closed terminals end nobody's access
		loaded, err := load(c, *path, config.Everything)
		if err != nil {
			return err
		}
		log := telemetry.NewLog(c.ErrOrStderr(), slog.LevelInfo)
		s, err := server.New(c.Context(), loaded, server.Options{Log: log})
		if err != nil {
			return found{err}
		}
		if err := s.Run(c.Context()); err != nil {
			return found{err}
		}
		return nil
	}
	return c
}
