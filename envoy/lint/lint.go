// Package lint reads an Envoy's configuration, as a bootstrap or as what the
// administration address dumps, and names each way in which it breaks the
// contract with Rolepass.
//
//	subject, err := lint.Read(text)
//	for _, f := range lint.Find(subject, nil) { ... }
//
// It looks at configuration only: it sends no request through Envoy, and
// changes nothing. What it cannot read it says so about, as a finding.
package lint

import (
	"cmp"
	"slices"

	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
)

// Finding is one place where a rule is broken.
type Finding struct {
	Rule  Rule
	Where string // such as: listener edge, virtual host public, route acs
	What  string // what stands there
}

// Find gives every finding, in the order of the rules. wanted is what
// `rolepass generate envoy` would write; nil when that is not known, and then
// the rules that compare with it find nothing.
func Find(s *Subject, wanted *bootstrap.Bootstrap) []Finding {
	v := newView(s)
	if wanted != nil {
		v.wanted = newView(&Subject{Bootstrap: wanted})
	}
	var found []Finding
	for _, rule := range Rules() {
		problems := rule.check(v)
		slices.SortStableFunc(problems, func(a, b problem) int { return cmp.Compare(a.where, b.where) })
		for _, p := range problems {
			found = append(found, Finding{Rule: rule, Where: p.where, What: p.what})
		}
	}
	return found
}
