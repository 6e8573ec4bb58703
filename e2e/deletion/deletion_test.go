package deletion_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
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
	Next                []string
}

// TestEveryCheckMatters switches off every check of package saml, one at a
// time, in a copy of its source. Either a vector of a catalogue (responses,
// logout messages, metadata) is accepted then, which is to say that this check
// alone refuses it, or a sentence says what it backs up, and the table names
// the checks that refuse instead.
func TestEveryCheckMatters(t *testing.T) {
	checks, outcomes := run(t)
	killers, after, instead := map[string][]string{}, map[string][]string{}, map[string][]string{}
	for _, o := range outcomes {
		if o.Code == "" {
			killers[o.Check] = append(killers[o.Check], o.Vector)
		} else {
			after[o.Check] = append(after[o.Check], o.Code)
		}
		if o.Code == deletion.BacksUp[o.Check].By && instead[o.Check] == nil {
			instead[o.Check] = o.Next
		}
	}
	for _, check := range checks {
		sentence, told := deletion.BacksUp[check]
		switch {
		case len(killers[check]) > 0 && told:
			t.Errorf("%q is told to back up another check, and without it %q is accepted", check, killers[check][0])
		case len(killers[check]) == 0 && !told:
			t.Errorf("%q: no vector is accepted without it, and nothing is said about it; what refuses then: %q", check, slices.Compact(slices.Sorted(slices.Values(after[check]))))
		case told && sentence.By != "" && !slices.Contains(after[check], sentence.By):
			t.Errorf("%q: when it is off, the next refusal is %q and never %s", check, slices.Compact(slices.Sorted(slices.Values(after[check]))), sentence.By)
		case told && sentence.By == "" && len(after[check]) > 0:
			t.Errorf("%q: said to refuse nothing that gets as far, and it does, before %q", check, slices.Compact(slices.Sorted(slices.Values(after[check]))))
		}
	}
	for check := range deletion.BacksUp {
		if !slices.Contains(checks, check) {
			t.Errorf("%q is no check any more", check)
		}
	}
	compare(t, table(checks, killers, instead))
}

// run builds the copy and gives every check and what became of the vectors.
func run(t *testing.T) (checks []string, outcomes []outcome) {
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
	if out, err := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, "./testdata/run").CombinedOutput(); err != nil {
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

// table is the table of docs/saml.md.
func table(checks []string, killers, instead map[string][]string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%d checks; %d of them refuse a vector that nothing else refuses.\n\n", len(checks), len(killers))
	out.WriteString("| Check | Refused by nothing else, or what it backs up |\n|---|---|\n")
	for _, check := range slices.SortedFunc(slices.Values(checks), cmp.Compare[string]) {
		what := backsUp(check, instead[check])
		if found := killers[check]; len(found) > 0 {
			slices.Sort(found)
			what = found[0]
			if len(found) > 1 {
				what += fmt.Sprintf(", and %d more", len(found)-1)
			}
		}
		fmt.Fprintf(&out, "| `%s` | %s |\n", strings.ReplaceAll(check, "|", "\\|"), strings.ReplaceAll(what, "|", "\\|"))
	}
	return out.String()
}

// backsUp is the sentence about a check, with the code of the refusal that
// comes when it is off and the checks that refuse then.
func backsUp(check string, instead []string) string {
	sentence := deletion.BacksUp[check]
	if sentence.By == "" {
		return sentence.Why
	}
	what := "`" + sentence.By + "`"
	for i, other := range instead {
		separator := ", "
		if i == 0 {
			separator = " by "
		}
		what += separator + "`" + other + "`"
	}
	return what + ": " + sentence.Why
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
