package envoytest_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/envoy"
	"github.com/rolepass/rolepass/envoy/lint"
)

// hole is one choice of the bootstrap, broken, and what that lets somebody do.
type hole struct {
	code     string // of the lint rule that finds it
	gain     string // what whoever finds the hole gets
	old, new string // the edit that breaks it; old is a regular expression
	opens    func(*rig) bool
}

// Each hole is open with the broken configuration, which lint finds, and
// closed with the bootstrap as generated, of which lint finds nothing.
func TestEachChoiceClosesAHole(t *testing.T) {
	evil := newEvilS3(t)
	for _, h := range slices.Concat(holesOfCheck(evil), holesOfRequests(), holesOfS3(evil)) {
		t.Run(h.code, func(t *testing.T) {
			change := func(r *rig) {
				switch h.code {
				case "RP502":
					r.settings.S3, r.settings.CAFile = []envoy.S3Endpoint{{Host: evil.host, Scheme: "https"}}, evil.ca
				case "RP313":
					r.settings.DynamicForwardProxy = true
				}
			}
			ours := newRig(t, change)
			if h.opens(ours) {
				t.Error("the hole is open as generated")
			}
			if codes := ours.lint(); len(codes) != 0 {
				t.Errorf("lint finds %v as generated", codes)
			}
			broken := newRig(t, change, func(r *rig) {
				r.edit = func(yaml string) string { return regexp.MustCompile(h.old).ReplaceAllString(yaml, h.new) }
			})
			if !h.opens(broken) {
				t.Error("breaking the choice opens nothing: this test proves nothing")
			}
			if codes := broken.lint(); !slices.Contains(codes, h.code) {
				t.Errorf("lint finds %v, want %s", codes, h.code)
			}
		})
	}
}

// lint gives the codes of what lint finds in the running Envoy.
func (r *rig) lint() (codes []string) {
	r.t.Helper()
	subject, err := lint.Read([]byte(r.adminGet("/config_dump")))
	if err != nil {
		r.t.Fatalf("reading Envoy's dump: %v", err)
	}
	for _, f := range lint.Find(subject, nil) {
		codes = append(codes, f.Rule.Code)
	}
	return codes
}

// docs/envoy.md has the table of the holes, as they are.
func TestTheHolesAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/envoy.md")
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("| Code | What was got with it |\n|---|---|\n")
	all := slices.Concat(holesOfCheck(evilS3{}), holesOfRequests(), holesOfS3(evilS3{}))
	slices.SortFunc(all, func(a, b hole) int { return strings.Compare(a.code, b.code) })
	for _, h := range all {
		fmt.Fprintf(&table, "| %s | %s |\n", h.code, h.gain)
	}
	const begin, end = "<!-- holes -->\n", "<!-- end of holes -->\n"
	before, rest, _ := strings.Cut(string(page), begin)
	is, after, ok := strings.Cut(rest, end)
	if !ok || is == table.String() {
		if !ok {
			t.Fatalf("docs/envoy.md has no %q and %q", begin, end)
		}
		return
	}
	if os.Getenv("UPDATE") == "" {
		t.Fatal("docs/envoy.md has other holes than the test: run with UPDATE=1, and look at the difference")
	}
	if err := os.WriteFile("../../docs/envoy.md", []byte(before+begin+table.String()+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// evilS3 has a certificate of the trusted authority, for another name.
type evilS3 struct{ host, ca string }

func newEvilS3(t *testing.T) evilS3 {
	t.Helper()
	authority := newAuthority(t)
	_, port, _ := net.SplitHostPort(startTLS(t, authority, "evil.test").host())
	return evilS3{host: "localhost:" + port, ca: authority.file}
}

// adminPost is the status of a POST to Envoy's admin address.
func (r *rig) adminPost(path string) int {
	r.t.Helper()
	answer, err := http.Post("http://"+r.admin+path, "", nil)
	if err != nil {
		r.t.Fatalf("asking Envoy's admin address: %v", err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

func setCookie(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Set-Cookie", "sessionid=stolen")
}
