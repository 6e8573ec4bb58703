//go:build !man

package main

import "github.com/spf13/cobra"

// more are commands for the release alone; see man.go.
func more() []*cobra.Command { return nil }
