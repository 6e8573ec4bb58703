package main

import (
	"runtime/debug"

	"github.com/spf13/cobra"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  nothing,
		RunE: func(c *cobra.Command, _ []string) error {
			version, revision, modified, golang := "unknown", "unknown", "", "unknown"
			if info, ok := debug.ReadBuildInfo(); ok {
				version, golang = info.Main.Version, info.GoVersion
				for _, setting := range info.Settings {
					switch {
					case setting.Key == "vcs.revision":
						revision = setting.Value
					case setting.Key == "vcs.modified" && setting.Value == "true":
						modified = ", modified"
					}
				}
			}
			return say(c, "rolepass %s (%s%s) %s\n", version, revision, modified, golang)
		},
	}
}
