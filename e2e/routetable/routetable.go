// Package routetable is the table of Label Studio's routes: what Rolepass does
// with each of them, and why. The table is routes.txt; docs/label-studio.md is
// written from it. Tests hold it against package labelstudio, which decides,
// and against the URL table of the installed Label Studio.
package routetable

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Version is the release whose routes these are.
const Version = "1.23.2"

//go:embed routes.txt
var text string

// Methods are those that Rolepass passes to anybody.
var Methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// Group is some routes with one fate and one reason.
type Group struct {
	Class, Reason string
	Rows          []Row
}

// Row is one line of the table.
type Row struct {
	// Methods are expanded, Pattern is as written, and Routes are what it
	// stands for, each with a query if it has one.
	Methods []string
	Pattern string
	Routes  []string
}

// Read reads the table.
func Read() ([]Group, error) {
	var groups []Group
	for i, line := range strings.Split(text, "\n") {
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "  ") && len(groups) > 0:
			row, err := readRow(line)
			if err != nil {
				return nil, fmt.Errorf("routes.txt, line %d: %w", i+1, err)
			}
			last := &groups[len(groups)-1]
			last.Rows = append(last.Rows, row)
		default:
			class, reason, found := strings.Cut(line, ": ")
			if !found || strings.HasPrefix(line, " ") {
				return nil, fmt.Errorf("routes.txt, line %d: write the class, a colon and the reason, or two blanks, methods and a route", i+1)
			}
			groups = append(groups, Group{Class: class, Reason: reason})
		}
	}
	return groups, nil
}

func readRow(line string) (Row, error) {
	fields := strings.Fields(line)
	if len(fields) != 2 {
		return Row{}, fmt.Errorf("there are %d words: write methods and a route", len(fields))
	}
	row := Row{Methods: Methods, Pattern: fields[1], Routes: expand(fields[1])}
	if fields[0] != "*" {
		row.Methods = strings.Split(fields[0], ",")
	}
	for _, method := range row.Methods {
		if !slices.Contains(Methods, method) {
			return Row{}, fmt.Errorf("%s is no method", method)
		}
	}
	return row, nil
}

// expand writes {a,b} out.
func expand(pattern string) []string {
	before, rest, found := strings.Cut(pattern, "{")
	if !found {
		return []string{pattern}
	}
	choices, after, _ := strings.Cut(rest, "}")
	var all []string
	for choice := range strings.SplitSeq(choices, ",") {
		all = append(all, expand(before+choice+after)...)
	}
	return all
}

// parameter is a variable part of a route.
var parameter = regexp.MustCompile(`<[^>]*>`)

// examples are values of parameters for which 3 is none.
var examples = map[string]string{
	"<path>": "js/main.js", "<path:filename>": "3/ab12-red.png", "<uri>": "czM6Ly9pbWFnaW5nL3JlZC5wbmc=",
	"<format>": "json", "<drf_format_suffix:format>": ".json", "<sub_path>": "storage", "<app_label>": "tasks", "<url>": "nothing-like-it",
	"<str:entity_name>": "task", "<token>": "ab12", "<job_id>": "5d1c", "<key>": "worker-1",
}

// Target is a request target of a route.
func Target(route string) string {
	target := parameter.ReplaceAllStringFunc(route, func(name string) string {
		if example, ok := examples[name]; ok {
			return example
		}
		return "3"
	})
	return strings.Replace(target, "…", "/", 1)
}
