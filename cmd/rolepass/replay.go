package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/server"
	"github.com/rolepass/rolepass/telemetry"
)

func replayCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "replay --config NEW.yaml RECORDED...",
		Short: "Say which recorded decisions another configuration would change",
		Long:  "Decide again what `record` of a running Rolepass has written, under a configuration that is not in force yet, and list what would change. Nothing is asked of anybody: what the application said is recorded. Exit code 1 if anything would change, or cannot be told.",
		Args:  cobra.MinimumNArgs(1),
	}
	path := configFlag(c)
	c.RunE = func(c *cobra.Command, files []string) error {
		loaded, err := load(c, *path, config.ForReplay)
		if err != nil {
			return err
		}
		replayer, err := server.NewReplayer(loaded)
		if err != nil {
			return found{err}
		}
		changes := tally{}
		for _, file := range files {
			if err := changes.replay(c.Context(), replayer, file); err != nil {
				return found{err}
			}
		}
		return changes.tell(c.OutOrStdout())
	}
	return c
}

// change is one kind of change, for the people with some roles.
type change struct{ what, object, roles, was, now string }

// tally counts changes.
type tally struct {
	records int
	changed map[change]int
	untold  map[string]int
}

// replay decides a file again.
func (t *tally) replay(ctx context.Context, r *server.Replayer, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("reading what was recorded: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var one telemetry.Recorded
		decoder := json.NewDecoder(strings.NewReader(lines.Text()))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&one); err != nil {
			if gap(lines.Bytes()) {
				continue
			}
			return fmt.Errorf("%s:%d: this is no record of rolepass's (%w): give files that record wrote", file, n, err)
		}
		if one.Kind == telemetry.KindPrefixes {
			r.Compared(one.Prefixes)
			continue
		}
		if err := t.decide(ctx, r, one); err != nil {
			return fmt.Errorf("%s:%d: %w", file, n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading %s: %w", file, err)
	}
	return nil
}

// gap says that a line only tells of records that were lost.
func gap(line []byte) bool {
	var g struct{ Kind string }
	return json.Unmarshal(line, &g) == nil && g.Kind == "audit_lost"
}

func (t *tally) decide(ctx context.Context, r *server.Replayer, one telemetry.Recorded) error {
	t.records++
	now, err := r.Decide(ctx, one)
	if errors.Is(err, server.ErrUntoldKey) || errors.Is(err, server.ErrUntoldPlace) {
		if t.untold == nil {
			t.untold = map[string]int{}
		}
		t.untold[err.Error()]++
		return nil
	}
	if err != nil {
		return err
	}
	was := server.Was(one)
	if was.Yes == now.Yes && was.Role == now.Role || !was.Yes && !now.Yes {
		return nil
	}
	if t.changed == nil {
		t.changed = map[change]int{}
	}
	t.changed[change{kind(was, now), about(one), short(one.Roles...), verdict(was), verdict(now)}]++
	return nil
}

func kind(was, now server.Verdict) string {
	switch {
	case !was.Yes:
		return "opens"
	case !now.Yes:
		return "closes"
	}
	return "role"
}

// about names what was asked for, without the part of a key that tells most.
func about(one telemetry.Recorded) string {
	if one.Door != "" {
		return "side door " + one.Door
	}
	return "s3://" + one.Bucket + "/" + one.Prefix
}

func verdict(v server.Verdict) string {
	switch {
	case !v.Yes:
		return v.Code
	case v.Role == "":
		return "yes"
	}
	return "yes as " + short(v.Role)
}

// short names roles as people do.
func short(roles ...string) string {
	var names []string
	for _, role := range roles {
		names = append(names, role[strings.LastIndexByte(role, '/')+1:])
	}
	return strings.Join(names, ", ")
}

// tell prints the table; anything in it is a finding.
func (t *tally) tell(out io.Writer) error {
	total := 0
	rows := make([]change, 0, len(t.changed))
	for row, n := range t.changed {
		total += n
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b change) int {
		return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
	})
	untold := 0
	for _, n := range t.untold {
		untold += n
	}
	fmt.Fprintf(out, "%d recorded decisions: %d would change, %d cannot be told\n", t.records, total, untold)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if total > 0 {
		fmt.Fprintln(table, "\nCHANGE\tCOUNT\tOBJECT\tROLES\tWAS\tWOULD BE")
	}
	for _, row := range rows {
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\n", row.what, t.changed[row], row.object, row.roles, row.was, row.now)
	}
	if err := table.Flush(); err != nil {
		return printed(err)
	}
	for why, n := range t.untold {
		fmt.Fprintf(out, "\n%d cannot be told: %s\n", n, why)
	}
	if total+untold > 0 {
		return found{fmt.Errorf("%d decisions would change or cannot be told", total+untold)}
	}
	return nil
}
