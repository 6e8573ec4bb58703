package lint

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
)

// readingRules tell of what could not be looked at: silence would read as
// "fine".
var readingRules = []Rule{
	{"RP001", "an extension of a type that this program cannot read", "Whatever it does stays unseen: it may answer, rewrite or record requests.", "Remove it, or know for certain what it does and ignore this finding.", unreadable},
	{"RP002", "a field that this program does not know", "A newer Envoy may have a setting that opens a way past Check.", "Use the Rolepass that was released for this Envoy, and look at the field.", func(v *view) []problem {
		if v.subject.unknown == "" {
			return nil
		}
		return []problem{{"configuration", v.subject.unknown}}
	}},
	{"RP003", "routes or filters that come from elsewhere and are not here", "They are as good as unchecked.", "Give the running Envoy's administration address: its dump has what it runs with.", absent},
}

func unreadable(v *view) (out []problem) {
	for _, m := range v.guarded() {
		_, opaque := messages[proto.Message](m.listener)
		_, more := messages[proto.Message](m.routes)
		for _, url := range compacted(append(opaque, more...)) {
			out = append(out, problem{m.place(), "an extension of type " + shortType(url)})
		}
	}
	for _, name := range v.usedClusters() {
		if c := v.clusters[name]; c != nil {
			_, opaque := messages[proto.Message](c)
			for _, url := range compacted(opaque) {
				out = append(out, problem{"cluster " + name, "an extension of type " + shortType(url)})
			}
		}
	}
	return compactedProblems(out)
}

func absent(v *view) (out []problem) {
	if v.subject.partial != "" {
		out = append(out, problem{"configuration", "a section of the dump could not be read: " + shortType(v.subject.partial)})
	}
	for _, m := range v.guarded() {
		if m.routes == nil {
			out = append(out, problem{m.place(), "its routes are not here"})
		}
		if m.routes.GetVhds() != nil {
			out = append(out, problem{m.place(), "virtual hosts are fetched when a request comes"})
		}
		for _, f := range m.hcm.GetHttpFilters() {
			if f.GetConfigDiscovery() != nil {
				out = append(out, problem{m.place(), "the filter " + f.GetName() + " is not here"})
			}
		}
	}
	return out
}

func shortType(url string) string { return strings.TrimPrefix(url, "type.googleapis.com/") }

func compacted(all []string) []string {
	slices.Sort(all)
	return slices.Compact(all)
}

func compactedProblems(all []problem) []problem {
	slices.SortStableFunc(all, func(a, b problem) int { return strings.Compare(a.where+a.what, b.where+b.what) })
	return slices.Compact(all)
}
