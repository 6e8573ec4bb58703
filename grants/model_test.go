package grants_test

import (
	"fmt"
	"testing"

	"github.com/rolepass/rolepass/grants"
	"github.com/rolepass/rolepass/presign"
	"pgregory.net/rapid"
)

// model is Choose as the documentation says it, without any cleverness: the
// longest prefix, then the narrowest scope, then the first of the list.
func model(list []grants.Grant, roles []string, l presign.Location, p grants.Place) (index, length int) {
	index, length = -1, -1
	narrowest := -1
	for i, g := range list {
		for _, prefix := range g.Read {
			if !has(roles, g.Role) || !prefix.Covers(l) || !g.Scope.Contains(p) {
				continue
			}
			n := narrowness(g.Scope)
			if len(prefix.Key) > length || len(prefix.Key) == length && n > narrowest {
				index, length, narrowest = i, len(prefix.Key), n
			}
		}
	}
	return index, length
}

func has(roles []string, role string) bool {
	for _, r := range roles {
		if r == role {
			return true
		}
	}
	return false
}

func narrowness(s grants.Scope) (n int) {
	for i, ids := range [][]int64{s.Organizations, s.Workspaces, s.Projects} {
		if len(ids) > 0 {
			n += 1 << i
		}
	}
	return n
}

// drawGrants draws from few names, so that grants meet each other. Ties are
// left out, as Compile does not take them.
func drawGrants(t *rapid.T) ([]grants.Grant, *grants.Set) {
	prefixes := []string{"s3://bucket/", "s3://bucket/a/", "s3://bucket/a/b/", "s3://bucket/ab/", "s3://other/", "s3://other/a/", "s3://bucket/*/"}
	ids := rapid.SliceOfNDistinct(rapid.Int64Range(1, 4), 0, 2, rapid.ID)
	var list []grants.Grant
	set := compile(t)
	for range rapid.IntRange(0, 25).Draw(t, "grants") {
		scope := grants.Scope{Organizations: ids.Draw(t, "organizations"), Workspaces: ids.Draw(t, "workspaces"), Projects: ids.Draw(t, "projects")}
		scope.Anywhere = narrowness(scope) == 0
		g := grant(fmt.Sprint("r", rapid.IntRange(1, 3).Draw(t, "role")), scope, rapid.SliceOfNDistinct(rapid.SampledFrom(prefixes), 1, 3, rapid.ID).Draw(t, "read")...)
		if larger, problems := grants.Compile(append(list[:len(list):len(list)], g), nil); len(problems) == 0 {
			list, set = append(list, g), larger
		}
	}
	return list, set
}

func TestChooseIsTheModel(t *testing.T) {
	keys := []string{"k", "a", "a/k", "ab/k", "a/b/k", "a/b/c/k", "*/k", "x/k", "a/*/k", "a/b"}
	rapid.Check(t, func(t *rapid.T) {
		list, set := drawGrants(t)
		for _, n := range []int{0, 1, 2, 3} {
			roles := arns([]string{"r3", "r1", "r2"}[:n])
			for _, bucket := range []string{"bucket", "other", "third"} {
				for _, key := range keys {
					l := presign.Location{Bucket: bucket, Key: key}
					place := grants.Place{Organization: rapid.Int64Range(0, 4).Draw(t, "o"), Workspace: rapid.Int64Range(0, 4).Draw(t, "w"), Project: rapid.Int64Range(0, 4).Draw(t, "p")}
					want, length := model(list, roles, l, place)
					got, ok := set.Choose(roles, l, place)
					if ok != (want >= 0) || ok && (got.Index != want || len(got.Prefix.Key) != length || got.RoleARN != list[want].Role) {
						t.Fatalf("%s at %+v with %v: %+v %v, want grant %d", l.URI(), place, roles, got, ok, want)
					}
					if any := covered(list, roles, l); set.Any(roles, l) != any {
						t.Fatalf("%s with %v: Any is %v, want %v", l.URI(), roles, !any, any)
					}
				}
			}
		}
	})
}

func covered(list []grants.Grant, roles []string, l presign.Location) bool {
	for _, g := range list {
		for _, p := range g.Read {
			if has(roles, g.Role) && p.Covers(l) {
				return true
			}
		}
	}
	return false
}
