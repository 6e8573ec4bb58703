package lint

import (
	"fmt"
	"strings"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	extauthz "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_authz/v3"
)

// Rule is one clause of the contract. Its code never changes its meaning.
type Rule struct {
	Code string
	// Finds is the break, Risk is what could happen, Mend is what to do.
	Finds, Risk, Mend string

	check func(*view) []problem
}

// problem is where a rule is broken, and by what.
type problem struct{ where, what string }

// Rules are all rules, in the order of their codes.
func Rules() []Rule {
	var all []Rule
	for _, group := range [][]Rule{
		readingRules, filterRules, authzRules, bodyRules, hostRules, routeRules, s3Rules, requestRules, clusterRules, processRules, wantedRules,
	} {
		all = append(all, group...)
	}
	return all
}

// Table is all rules as a Markdown table.
func Table() string {
	var b strings.Builder
	b.WriteString("| Code | Broken when | What could happen | How to mend it |\n|---|---|---|---|\n")
	for _, r := range Rules() {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.Code, r.Finds, r.Risk, r.Mend)
	}
	return b.String()
}

// The functions below make a check of something smaller than the whole: it
// gets each of its kind and says what is wrong with it, or nothing.

// onAuthz looks at each ext_authz filter.
func onAuthz(says func(*extauthz.ExtAuthz) string) func(*view) []problem {
	return onManager(func(m *manager) string { return says(m.authz) })
}

// onManager looks at each connection manager that has ext_authz.
func onManager(says func(*manager) string) func(*view) []problem {
	return func(v *view) (out []problem) {
		for _, m := range v.guarded() {
			if what := says(m); what != "" {
				out = append(out, problem{m.place(), what})
			}
		}
		return out
	}
}

// onHost looks at each virtual host of those.
func onHost(says func(*view, *manager, *route.VirtualHost) string) func(*view) []problem {
	return func(v *view) (out []problem) {
		for _, m := range v.guarded() {
			for _, h := range m.routes.GetVirtualHosts() {
				if what := says(v, m, h); what != "" {
					out = append(out, problem{hostPlace(m, h), what})
				}
			}
		}
		return out
	}
}

// onRoute looks at each route of those.
func onRoute(says func(*view, *route.Route) string) func(*view) []problem {
	return func(v *view) (out []problem) {
		for _, m := range v.guarded() {
			for _, h := range m.routes.GetVirtualHosts() {
				for i, r := range h.GetRoutes() {
					if what := says(v, r); what != "" {
						out = append(out, problem{routePlace(m, h, r, i), what})
					}
				}
			}
		}
		return out
	}
}

// onS3 looks at each route that leads to S3.
func onS3(says func(*route.Route) string) func(*view) []problem {
	return onRoute(func(v *view, r *route.Route) string {
		if !v.toS3(r) {
			return ""
		}
		return says(r)
	})
}

// onCluster looks at each cluster that such a route, or Check, leads to.
func onCluster(says func(*view, *cluster.Cluster) string) func(*view) []problem {
	return func(v *view) (out []problem) {
		for _, name := range v.usedClusters() {
			if c := v.clusters[name]; c != nil {
				if what := says(v, c); what != "" {
					out = append(out, problem{"cluster " + name, what})
				}
			}
		}
		return out
	}
}

// when is a sentence where something is so.
func when(is bool, format string, args ...any) string {
	if !is {
		return ""
	}
	return fmt.Sprintf(format, args...)
}

// lacks is a sentence about the first of these that is not so.
func lacks(prefix string, missing []string) string {
	return when(len(missing) > 0, "%s %s", prefix, strings.Join(missing, ", "))
}
