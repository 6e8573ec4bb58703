package labelstudiotest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/e2e/routetable"
)

// route is one of the installed Label Studio's, as Django resolves it.
type route struct {
	Route, View string
	Methods     []string
}

// installed gives the version and the routes of the installed Label Studio.
func installed(t *testing.T) (version string, routes []route) {
	t.Helper()
	p := runs(t, "routes.py")
	var first struct{ Version string }
	p.reads(t, &first)
	for {
		var one route
		if !p.reads(t, &one) {
			return first.Version, routes
		}
		routes = append(routes, one)
	}
}

// answered are the methods that a view answers; one that does not say answers
// all, and a GET is always a HEAD too.
func (r route) answered() []string {
	methods := slices.Clone(r.Methods)
	if slices.Contains(methods, "*") {
		methods = slices.Clone(routetable.Methods)
	}
	if slices.Contains(methods, "GET") && !slices.Contains(methods, "HEAD") {
		methods = append(methods, "HEAD")
	}
	return methods
}

// Every route of the installed Label Studio, with each method that it answers,
// is in the table, and the table has no other. A version with a new one fails
// here before it is called tested.
func TestEveryRouteIsClassified(t *testing.T) {
	version, routes := installed(t)
	if version != routetable.Version {
		t.Errorf("Label Studio %s is installed, and the table is of %s", version, routetable.Version)
	}
	groups, err := routetable.Read()
	if err != nil {
		t.Fatal(err)
	}
	classified, known := map[string]bool{}, map[string]bool{}
	for _, group := range groups {
		for _, row := range group.Rows {
			for _, written := range row.Routes {
				bare, _, _ := strings.Cut(written, "?")
				known[bare] = true
				for _, method := range row.Methods {
					classified[method+" "+bare] = true
				}
			}
		}
	}
	if len(routes) < 300 {
		t.Fatalf("Django resolves %d routes only", len(routes))
	}
	pairs := 0
	for _, r := range routes {
		for _, method := range r.answered() {
			pairs++
			if !classified[method+" "+r.Route] {
				t.Errorf("%s %s (%s) is in no class: give it one in e2e/routetable/routes.txt", method, r.Route, r.View)
			}
		}
		delete(known, r.Route)
	}
	for gone := range known {
		t.Errorf("%s is in the table, and Label Studio has no such route", gone)
	}
	t.Logf("Label Studio %s: %d routes, %d with a method", version, len(routes), pairs)
}
