package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"github.com/spf13/cobra"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/envoy"
	"github.com/rolepass/rolepass/envoy/lint"
)

// runningEnvoy is where Envoy's administration usually is.
const runningEnvoy = "http://127.0.0.1:9901"

func lintCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "lint [FILE|ADDRESS]",
		Short: "Name every way in which an Envoy breaks the contract",
		Long: "Read an Envoy's configuration and name every way in which it lets requests by, with what could happen and how to mend it. " +
			"FILE is a bootstrap, in YAML or JSON, or what /config_dump answered; - is standard input. " +
			"ADDRESS is a running Envoy's administration address, such as " + runningEnvoy + ", which is also what is asked when nothing is given. " +
			"With --config, what differs from `rolepass generate envoy` is a finding, too. Exit code 1 if there is a finding, 2 if nothing could be looked at.",
		Args: cobra.MaximumNArgs(1),
	}
	path := c.Flags().String("config", "", "compare with what this configuration `file` generates")
	rules := c.Flags().Bool("rules", false, "print the rules, and look at nothing")
	c.RunE = func(c *cobra.Command, args []string) error {
		if *rules {
			return say(c, "%s", lint.Table())
		}
		wanted, at, err := wantedEnvoy(c, *path)
		if err != nil {
			return err
		}
		if len(args) == 1 {
			at = args[0]
		}
		subject, err := subjectAt(c, at)
		if err != nil {
			return fmt.Errorf("looking at %s: %w", at, err)
		}
		return report(c, at, lint.Find(subject, wanted))
	}
	return c
}

// wantedEnvoy is what would be generated, if that is known, and where Envoy's
// administration is.
func wantedEnvoy(c *cobra.Command, path string) (*bootstrap.Bootstrap, string, error) {
	if path == "" {
		return nil, runningEnvoy, nil
	}
	loaded, err := loadQuietly(path, config.ForMesh)
	if err != nil {
		return nil, "", err
	}
	wanted, err := envoy.Bootstrap(settings(loaded))
	if err != nil {
		return nil, "", found{err}
	}
	return wanted, "http://" + loaded.Envoy.Admin, nil
}

// subjectAt reads a file, standard input or a running Envoy's dump.
func subjectAt(c *cobra.Command, at string) (*lint.Subject, error) {
	text, err := textAt(c, at)
	if err != nil {
		return nil, err
	}
	return lint.Read(text)
}

func textAt(c *cobra.Command, at string) ([]byte, error) {
	if strings.HasPrefix(at, "http://") || strings.HasPrefix(at, "https://") {
		return dump(c.Context(), strings.TrimSuffix(at, "/")+"/config_dump")
	}
	if at == "-" {
		return io.ReadAll(io.LimitReader(c.InOrStdin(), lint.MaxSize+1))
	}
	f, err := os.Open(at)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, lint.MaxSize+1))
}

// dump asks a running Envoy what it runs with. It follows nobody elsewhere.
func dump(ctx context.Context, address string) ([]byte, error) {
	client := &http.Client{Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers %s: give the administration address of an Envoy, with /config_dump among its allow_paths", answer.Status)
	}
	return io.ReadAll(io.LimitReader(answer.Body, lint.MaxSize+1))
}

// report prints the findings, each with its reason.
func report(c *cobra.Command, at string, findings []lint.Finding) error {
	if len(findings) == 0 {
		return say(c, "%s keeps the contract: none of %d rules is broken\n", at, len(lint.Rules()))
	}
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "%s %s: %s\n    broken: %s\n    risk: %s\n    mend: %s\n", f.Rule.Code, f.Where, f.What, f.Rule.Finds, f.Rule.Risk, f.Rule.Mend)
	}
	if err := say(c, "%s", b.String()); err != nil {
		return err
	}
	return found{errors.New(count(len(findings), "finding"))}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
