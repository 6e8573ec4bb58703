package grants_test

import (
	"slices"
	"testing"

	"github.com/rolepass/rolepass/grants"
	"github.com/rolepass/rolepass/presign"
)

// arn is a role of the test's one account.
func arn(name string) string { return "arn:aws:iam::111122223333:role/" + name }

func project(id int64) grants.Place      { return grants.Place{Organization: 1, Project: id} }
func projects(ids ...int64) grants.Scope { return grants.Scope{Projects: ids} }

var anywhere = grants.Scope{Anywhere: true}

func grant(role string, scope grants.Scope, read ...string) grants.Grant {
	g := grants.Grant{Role: arn(role), Scope: scope}
	for _, uri := range read {
		p, err := grants.ParsePrefix(uri)
		if err != nil {
			panic(uri + ": " + err.Error())
		}
		g.Read = append(g.Read, p)
	}
	return g
}

func compile(t require, list ...grants.Grant) *grants.Set {
	t.Helper()
	set, problems := grants.Compile(list, nil)
	if len(problems) > 0 {
		t.Fatalf("these grants do not compile: %v", problems)
	}
	return set
}

// book is a set of grants that a test reads as policy.
type book struct {
	t   *testing.T
	set *grants.Set
}

func location(t testing.TB, uri string) presign.Location {
	t.Helper()
	l, err := presign.ParseLocation(uri)
	if err != nil {
		t.Fatalf("%s: %v", uri, err)
	}
	return l
}

// allow wants the object to be read under the first role, in whatever order
// the person has the roles.
func (b book) allow(uri string, place grants.Place, roles ...string) {
	b.t.Helper()
	l := location(b.t, uri)
	has := arns(roles)
	for range 2 {
		choice, ok := b.set.Choose(has, l, place)
		if !ok || choice.RoleARN != arn(roles[0]) {
			b.t.Errorf("%v at %+v with %v: role %q, want %s", uri, place, has, choice.RoleARN, arn(roles[0]))
		}
		if ok && (!choice.Prefix.Covers(l) || !choice.Grant.Scope.Contains(place) || choice.Grant.Role != choice.RoleARN) {
			b.t.Errorf("%v at %+v with %v: the choice is %+v", uri, place, has, choice)
		}
		if !b.set.Any(has, l) {
			b.t.Errorf("%v with %v: may be read, but Any says that it is nowhere granted", uri, has)
		}
		slices.Reverse(has)
	}
}

// deny wants the object to be read under none of the roles.
func (b book) deny(uri string, place grants.Place, roles ...string) {
	b.t.Helper()
	if choice, ok := b.set.Choose(arns(roles), location(b.t, uri), place); ok {
		b.t.Errorf("%v at %+v with %v: may be read under %s", uri, place, roles, choice.RoleARN)
	}
}

// nowhere wants the object to be refused before the application is asked.
func (b book) nowhere(uri string, roles ...string) {
	b.t.Helper()
	if b.set.Any(arns(roles), location(b.t, uri)) {
		b.t.Errorf("%v with %v: granted somewhere", uri, roles)
	}
	b.deny(uri, project(12), roles...)
}

func arns(roles []string) []string {
	var list []string
	for _, r := range roles {
		list = append(list, arn(r))
	}
	return list
}

func hospital(t *testing.T) book {
	return book{t, compile(t,
		grant("radiology", projects(12, 14), "s3://imaging/radiology/"),
		grant("research", anywhere, "s3://imaging/anonymised/", "s3://papers/"),
		grant("head", projects(12), "s3://imaging/radiology/", "s3://imaging/radiology/board/"),
	)}
}

func TestWhoReadsWhat(t *testing.T) {
	b := hospital(t)
	b.allow("s3://imaging/radiology/a.png", project(12), "radiology")
	b.allow("s3://imaging/radiology/deep/er/a.png", project(14), "radiology")
	b.deny("s3://imaging/radiology/a.png", project(13), "radiology")
	b.deny("s3://imaging/radiology/a.png", grants.Place{}, "radiology")
	b.deny("s3://imaging/radiology/a.png", project(0), "radiology")
	b.deny("s3://imaging/radiology/a.png", project(12))
	b.nowhere("s3://imaging/anonymised/a.png", "radiology")
	b.allow("s3://imaging/anonymised/a.png", project(99), "research")
	b.allow("s3://imaging/anonymised/a.png", grants.Place{}, "research")
	b.allow("s3://papers/a.png", project(1), "research")
	b.allow("s3://papers/x/y/z", project(1), "research")
	b.nowhere("s3://imaging/radiology/a.png", "research")
	b.nowhere("s3://imaging/radiology/a.png", "contractor")
}

func TestPrefixesAreNotPatternsAndEndInASlash(t *testing.T) {
	b := book{t, compile(t, grant("r", anywhere, "s3://team.a/x.y/", "s3://bucket/a*/", "s3://bucket/[b]/", "s3://bucket/team-a/", "s3://bucket/UP/"))}
	b.allow("s3://team.a/x.y/k", project(1), "r")
	b.nowhere("s3://team.a/xzy/k", "r")
	b.nowhere("s3://team-a/x.y/k", "r")
	b.allow("s3://bucket/a*/k", project(1), "r")
	b.nowhere("s3://bucket/ab/k", "r")
	b.nowhere("s3://bucket/b/k", "r")
	b.nowhere("s3://bucket/team-ab/k", "r")
	b.nowhere("s3://bucket/team-a", "r")
	b.nowhere("s3://bucket/up/k", "r")
	b.nowhere("s3://bucket/k", "r")
	b.nowhere("s3://bucket/%74eam-a/k", "r")
}

func TestLongestPrefixThenNarrowestScopeThenFileOrder(t *testing.T) {
	b := hospital(t)
	b.allow("s3://imaging/radiology/a.png", project(12), "radiology", "head")
	b.allow("s3://imaging/radiology/board/a.png", project(12), "head", "radiology")
	b.allow("s3://imaging/radiology/board/a.png", project(14), "radiology", "head")

	b = book{t, compile(t,
		grant("everywhere", anywhere, "s3://bucket/a/"),
		grant("organization", grants.Scope{Organizations: []int64{1}}, "s3://bucket/a/"),
		grant("workspace", grants.Scope{Workspaces: []int64{5}}, "s3://bucket/a/"),
		grant("project", projects(12), "s3://bucket/a/"),
		grant("both", grants.Scope{Workspaces: []int64{5}, Projects: []int64{12}}, "s3://bucket/a/"),
	)}
	place := grants.Place{Organization: 1, Workspace: 5, Project: 12}
	b.allow("s3://bucket/a/k", place, "both", "project", "workspace", "organization", "everywhere")
	b.allow("s3://bucket/a/k", place, "project", "workspace", "organization", "everywhere")
	b.allow("s3://bucket/a/k", place, "workspace", "organization", "everywhere")
	b.allow("s3://bucket/a/k", place, "organization", "everywhere")
	b.allow("s3://bucket/a/k", project(13), "organization", "both", "project", "workspace", "everywhere")
}

type require interface {
	Helper()
	Fatalf(string, ...any)
}
