package deletion_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/e2e/deletion"
)

var update = flag.Bool("update", false, "write the table of docs/saml.md anew")

// outcome is what became of one vector when one check was off.
type outcome struct {
	Vector, Check, Code string
	Next, Together      []string
}

// found is what one check turned out to be good for.
type found struct {
	// alone are vectors that it alone refuses; besides, those that gosaml2's
	// own rules refuse too, and nothing else.
	alone, besides []string
	// after are the codes that come when it is off, instead the checks that
	// refuse then.
	after   []string
	instead []string
	// vector is accepted when the others are off as well, and gosaml2's own
	// rules where library says so.
	vector   string
	together []string
	library  bool
}

// TestEveryCheckMatters switches off every check of package saml, one at a
// time, in a copy of its source. Either a vector of a catalogue (responses,
// logout messages, metadata) is accepted then, which is to say that this check
// alone refuses it, or a sentence says what it backs up, and the table names
// the checks that refuse instead.
func TestEveryCheckMatters(t *testing.T) {
	checks, outcomes := run(t, false)
	_, lenient := run(t, true)
	all := map[string]*found{}
	for _, check := range checks {
		all[check] = &found{}
	}
	for _, o := range outcomes {
		all[o.Check].takes(o)
	}
	for _, o := range lenient {
		all[o.Check].takesLenient(o)
	}
	for _, check := range checks {
		judge(t, check, all[check])
	}
	for check := range deletion.BacksUp {
		if !slices.Contains(checks, check) {
			t.Errorf("%q is no check any more", check)
		}
	}
	compare(t, table(all))
}

func (f *found) takes(o outcome) {
	if o.Code == "" {
		f.alone = append(f.alone, o.Vector)
		return
	}
	f.after = append(f.after, o.Code)
	if o.Code == deletion.BacksUp[o.Check].By && f.instead == nil {
		f.instead = o.Next
	}
	if o.Together != nil && (f.together == nil || len(o.Together) < len(f.together)) {
		f.vector, f.together = o.Vector, o.Together
	}
}

func (f *found) takesLenient(o outcome) {
	switch {
	case o.Code == "":
		f.besides = append(f.besides, o.Vector)
	case o.Together != nil && f.together == nil:
		f.vector, f.together, f.library = o.Vector, o.Together, true
	}
}

// judge wants a vector that a check alone refuses, or a sentence that is true.
func judge(t *testing.T, check string, f *found) {
	t.Helper()
	sentence, told := deletion.BacksUp[check]
	after := slices.Compact(slices.Sorted(slices.Values(f.after)))
	switch {
	case len(f.alone) > 0 && told:
		t.Errorf("%q is told to back up another check, and without it %q is accepted", check, f.alone[0])
	case len(f.alone) == 0 && !told:
		t.Errorf("%q: no vector is accepted without it, and nothing is said about it; what refuses then: %q", check, after)
	case told && sentence.By != "" && !slices.Contains(after, sentence.By):
		t.Errorf("%q: when it is off, the next refusal is %q and never %s", check, after, sentence.By)
	case told && sentence.By == "" && len(after) > 0:
		t.Errorf("%q: said to refuse nothing that gets as far, and it does, before %q", check, after)
	}
}

// run builds the copy, against gosaml2 or against one without rules of its own,
// and gives every check and what became of the vectors.
func run(t *testing.T, lenient bool) (checks []string, outcomes []outcome) {
	t.Helper()
	dir := t.TempDir()
	overlay := map[string]string{}
	put := func(at string, text []byte) {
		file := filepath.Join(dir, filepath.Base(at))
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		overlay[at] = file
	}
	saml, err := filepath.Abs("../../saml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range deletion.Files {
		source, err := os.ReadFile(filepath.Join(saml, name))
		if err != nil {
			t.Fatal(err)
		}
		switched, found, err := deletion.Rewrite(name, source)
		if err != nil {
			t.Fatal(err)
		}
		put(filepath.Join(saml, name), switched)
		checks = append(checks, found...)
	}
	switches, err := os.ReadFile("testdata/switch.go.txt")
	if err != nil {
		t.Fatal(err)
	}
	put(filepath.Join(saml, "switch_off.go"), switches)
	text, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	put(filepath.Join(dir, "overlay.json"), text)

	program := filepath.Join(dir, "run")
	build := []string{"build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program}
	if lenient {
		build = append(build, "-modfile", withoutRules(t, dir))
	}
	if out, err := exec.Command("go", append(build, "./testdata/run")...).CombinedOutput(); err != nil {
		t.Fatalf("building the copy: %v\n%s", err, out)
	}
	var said bytes.Buffer
	command := exec.Command(program)
	command.Stderr = &said
	out, err := command.Output()
	if err != nil {
		t.Fatalf("trying the catalogue: %v\n%s", err, said.String())
	}
	var report struct {
		Rows     []string
		Outcomes []outcome
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatal(err)
	}
	checks = slices.DeleteFunc(checks, func(c string) bool { return strings.HasSuffix(c, " *") })
	return append(checks, report.Rows...), report.Outcomes
}

// withoutRules copies gosaml2, takes out its own rules, and gives a go.mod that
// builds with the copy.
func withoutRules(t *testing.T, dir string) string {
	t.Helper()
	const module = "github.com/russellhaering/gosaml2"
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		t.Fatal(err)
	}
	original, twin := strings.TrimSpace(string(out)), filepath.Join(dir, "gosaml2")
	if err := os.CopyFS(twin, os.DirFS(original)); err != nil {
		t.Fatal(err)
	}
	taken := 0
	for _, name := range []string{"validate.go", "decode_response.go"} {
		source, err := os.ReadFile(filepath.Join(original, name))
		if err != nil {
			t.Fatal(err)
		}
		text, found, err := deletion.Lenient(source)
		if err != nil {
			t.Fatal(err)
		}
		taken += found
		if err := errors.Join(os.Remove(filepath.Join(twin, name)), os.WriteFile(filepath.Join(twin, name), text, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if taken < 10 {
		t.Fatalf("gosaml2 has %d rules of its own; it had more", taken)
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile("../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		if name == "go.mod" {
			text = fmt.Appendf(text, "\nreplace %s => %s\n", module, twin)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "go.mod")
}

// table is the table of docs/saml.md.
func table(all map[string]*found) string {
	var rows strings.Builder
	counts := map[string]int{}
	for _, check := range slices.Sorted(maps.Keys(all)) {
		kind, what := all[check].says(check)
		counts[kind]++
		fmt.Fprintf(&rows, "| `%s` | %s |\n", strings.ReplaceAll(check, "|", "\\|"), strings.ReplaceAll(what, "|", "\\|"))
	}
	head := fmt.Sprintf("%d checks. %d refuse a vector that nothing else refuses, %d one that only\ngosaml2's own rules refuse besides, %d one that only the checks beside them\nrefuse: with those off too, it is accepted. %d have a sentence alone.\n\n",
		len(all), counts["alone"], counts["besides"], counts["together"], counts["told"])
	return head + "| Check | Refused by nothing else, or what it backs up |\n|---|---|\n" + rows.String()
}

// says is what the table says about a check.
func (f *found) says(check string) (kind, what string) {
	why := deletion.BacksUp[check].Why
	switch {
	case len(f.alone) > 0:
		return "alone", some(f.alone)
	case len(f.besides) > 0:
		return "besides", "beside gosaml2, " + some(f.besides) + ": " + why
	case f.together != nil:
		library := map[bool]string{true: "gosaml2 and "}[f.library]
		return "together", "beside " + library + named(f.together) + ", " + f.vector + ": " + why
	case deletion.BacksUp[check].By == "":
		return "told", why
	case len(f.instead) > 0:
		return "told", "`" + deletion.BacksUp[check].By + "` by " + named(f.instead) + ": " + why
	}
	return "told", "`" + deletion.BacksUp[check].By + "`: " + why
}

func some(vectors []string) string {
	slices.Sort(vectors)
	if len(vectors) == 1 {
		return vectors[0]
	}
	return fmt.Sprintf("%s, and %d more", vectors[0], len(vectors)-1)
}

// named leaves out that a rule was asked where the rule itself is named.
func named(checks []string) string {
	var all []string
	for _, check := range checks {
		if len(checks) == 1 || !strings.HasPrefix(check, "checks: judge:") && !strings.HasPrefix(check, "roles: role: err") {
			all = append(all, "`"+check+"`")
		}
	}
	return strings.Join(all, " and ")
}

const begin, end = "<!-- checks: written by go test ./e2e/deletion -update -->\n", "<!-- end of checks -->\n"

// compare holds the document against the table.
func compare(t *testing.T, want string) {
	t.Helper()
	const document = "../../docs/saml.md"
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	have, behind, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s has no place for the table of checks", document)
	}
	if have == want {
		return
	}
	if !*update {
		t.Errorf("the table of checks in %s is not true any more; run go test ./e2e/deletion -update", document)
		return
	}
	if err := os.WriteFile(document, []byte(before+begin+want+end+behind), 0o644); err != nil {
		t.Fatal(err)
	}
}
