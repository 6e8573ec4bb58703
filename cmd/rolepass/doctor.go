package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/server"
)

func doctorCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "doctor --config FILE",
		Short: "Ask everybody whom Rolepass will ask, and say who does not fit",
		Long: "Ask each IdP for its metadata, each STS and each bucket whether it is there, and Label Studio for its version, once and without any credential; and compare the clocks. What validate cannot know is found here before the first login: a region that is another, a bucket that is not there, a way that is closed. A state's server (state.kind valkey) is signed in to; one record is written there, read and deleted.\n" +
			"Run it on the machine that Rolepass runs on. Buckets are asked by Envoy later, from where it runs. Exit code 1 if anything does not fit.",
		Args: nothing,
	}
	path := configFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		loaded, err := loadQuietly(*path, config.Everything)
		if err != nil {
			return err
		}
		wrong := false
		for _, one := range server.Doctor(c.Context(), loaded, time.Now) {
			state, sentence := "fine", one.Note
			if one.Err != nil {
				state, sentence, wrong = "WRONG", one.Err.Error(), true
			}
			if err := say(c, "%-5s %s\n", state, loaded.Problem(one.Key, sentence)); err != nil {
				return err
			}
		}
		if wrong {
			return found{errors.New("not everything fits")}
		}
		return nil
	}
	return c
}
