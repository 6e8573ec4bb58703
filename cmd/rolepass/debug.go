package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

func debugCommand() *cobra.Command {
	return group("debug", "Look at one assertion, location or object", debugAssertionCommand(), debugPresignCommand(), debugObjectCommand())
}

// moment reads --at; empty is now.
func moment(text string) (time.Time, error) {
	if text == "" {
		return time.Now(), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("--at %q is no time like 2027-01-15T08:00:00Z (RFC 3339)", text)
	}
	return at, nil
}
