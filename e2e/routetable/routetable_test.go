package routetable_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/e2e/routetable"
	"github.com/rolepass/rolepass/labelstudio"
)

var update = flag.Bool("update", false, "write docs/label-studio.md anew")

const document = "../../docs/label-studio.md"

func table(t *testing.T) []routetable.Group {
	t.Helper()
	groups, err := routetable.Read()
	if err != nil {
		t.Fatal(err)
	}
	return groups
}

// class is what the reader makes of a request, in the table's words.
func class(method, target string) string {
	reading := labelstudio.Read(method, target)
	switch {
	case reading.Kind == labelstudio.SideDoor:
		return string(reading.Door)
	case reading.Anonymous:
		return "anonymous"
	case reading.Kind == labelstudio.App:
		return "passed"
	}
	return reading.Kind.String()
}

// What the table says of a route is what the reader does with it.
func TestTheReaderDoesWhatTheTableSays(t *testing.T) {
	asked := 0
	for _, group := range table(t) {
		for _, row := range group.Rows {
			for _, route := range row.Routes {
				for _, method := range row.Methods {
					asked++
					if got := class(method, routetable.Target(route)); got != group.Class {
						t.Errorf("%s %s is %s in the table, and the reader makes it %s", method, routetable.Target(route), group.Class, got)
					}
				}
			}
		}
	}
	t.Logf("%d routes with a method", asked)
}

// No route with a method is in the table twice.
func TestEveryRouteHasOneClass(t *testing.T) {
	seen := map[string]string{}
	for _, group := range table(t) {
		for _, row := range group.Rows {
			for _, route := range row.Routes {
				for _, method := range row.Methods {
					if before, twice := seen[method+" "+route]; twice {
						t.Errorf("%s %s is %s and %s", method, route, before, group.Class)
					}
					seen[method+" "+route] = group.Class
				}
			}
		}
	}
}

// The service says when the Label Studio behind it is another than this one.
func TestTheTableIsOfATestedVersion(t *testing.T) {
	if !slices.Contains(labelstudio.Tested(), routetable.Version) {
		t.Errorf("the table is of %s, and tested are %v", routetable.Version, labelstudio.Tested())
	}
}

func TestTheDocumentIsOfTheTable(t *testing.T) {
	want := rendered(table(t))
	if *update {
		if err := os.WriteFile(document, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/label-studio.md is not what routes.txt says: go test ./e2e/routetable -update")
	}
}

// rendered is docs/label-studio.md.
func rendered(groups []routetable.Group) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `# What Rolepass does with each route of Label Studio

Written by `+"`go test ./e2e/routetable -update`"+` from e2e/routetable/routes.txt; do
not edit it here. These are the routes of Label Studio %s, as Django
resolves them. Tests hold the table against
[the reader of package labelstudio](../e2e/routetable/routetable_test.go "TestTheReaderDoesWhatTheTableSays")
and against
[the installed Label Studio](../e2e/labelstudiotest/routes_test.go "TestEveryRouteIsClassified"):
a route that is not here fails them. A route that begins with … matches anywhere
in a path; braces hold alternatives.

A path is judged in every form that a server may turn it into, so
[other spellings](../e2e/fetch_test.go "TestOddSpellingsOfAFetchAreRefused")
of these routes have the same class or a stricter one. Everything but
`+"`anonymous`"+` needs [a session](../e2e/fetch_test.go "TestASessionIsNeeded").
Side doors are %s:
[members are refused there](../e2e/attacks_test.go "TestTheOtherSideDoors"),
[and work on everywhere else](../e2e/attacks_test.go "TestMembersAndAdministratorsWorkOn").
`, routetable.Version, "storage, export, import, model, webhook, account and administration")
	before := ""
	for _, group := range groups {
		if group.Class != before {
			fmt.Fprintf(&b, "\n## %s\n", strings.ToUpper(group.Class[:1])+group.Class[1:])
			before = group.Class
		}
		fmt.Fprintf(&b, "\n%s\n\n| Methods | Route |\n|---|---|\n", strings.ToUpper(group.Reason[:1])+group.Reason[1:])
		for _, row := range group.Rows {
			methods := strings.Join(row.Methods, " ")
			if len(row.Methods) == len(routetable.Methods) {
				methods = "all"
			}
			fmt.Fprintf(&b, "| %s | `%s` |\n", methods, row.Pattern)
		}
	}
	return b.Bytes()
}
