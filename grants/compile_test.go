package grants_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/grants"
	"github.com/rolepass/rolepass/presign"
)

func TestPrefixes(t *testing.T) {
	for uri, want := range map[string]grants.Prefix{
		"s3://bucket/":              {Bucket: "bucket"},
		"s3://bucket/a/":            {Bucket: "bucket", Key: "a/"},
		"s3://bucket/a b+c/ü/":      {Bucket: "bucket", Key: "a b+c/ü/"},
		"s3://dotted.bucket/*$%2F/": {Bucket: "dotted.bucket", Key: "*$%2F/"},
	} {
		got, err := grants.ParsePrefix(uri)
		if err != nil || got != want || got.String() != uri {
			t.Errorf("%s: %+v, %v", uri, got, err)
		}
	}
	for _, uri := range []string{
		"", "s3://", "s3:///", "s3://bucket", "s3://bucket/a", "s3://bucket//", "s3://bucket/a//", "s3://bucket//a/", "s3://bucket/../", "s3://bucket/a/./", "s3://bucket/a?/", "s3://bucket/a\x00/",
		"S3://bucket/", "s3://Bucket/", "s3://*/", "s3://bucket*/", "s3://bu/", "bucket/", "arn:aws:s3:::bucket/", "s3://bucket/" + strings.Repeat("k", 1023) + "/",
	} {
		if got, err := grants.ParsePrefix(uri); err == nil {
			t.Errorf("%q is taken for %+v", uri, got)
		}
	}
}

func TestScopes(t *testing.T) {
	some := []int64{1}
	for _, c := range []struct {
		scope grants.Scope
		words string
	}{
		{grants.Scope{}, "anywhere: true"},
		{grants.Scope{Anywhere: true, Projects: some}, "leave out one of the two"},
		{grants.Scope{Projects: []int64{0}}, "begin with 1"},
		{grants.Scope{Workspaces: []int64{-1}}, "begin with 1"},
		{grants.Scope{Organizations: []int64{2, 2}}, "2 twice"},
	} {
		if err := c.scope.Check(); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%+v: %v, want %q", c.scope, err, c.words)
		}
		if _, problems := grants.Compile([]grants.Grant{grant("r", c.scope, "s3://bucket/")}, nil); len(problems) != 1 {
			t.Errorf("%+v compiles: %v", c.scope, problems)
		}
	}
	if (grants.Scope{}).Contains(grants.Place{}) || (grants.Scope{}).Contains(project(1)) {
		t.Error("a scope that says nothing contains a place")
	}
	both := grants.Scope{Organizations: []int64{1}, Projects: []int64{12}}
	for place, want := range map[grants.Place]bool{
		{Organization: 1, Project: 12}: true, {Organization: 2, Project: 12}: false, {Organization: 1, Project: 13}: false, {Project: 12}: false, {Organization: 1}: false, {}: false,
	} {
		if both.Contains(place) != want {
			t.Errorf("%+v contains %+v: %v", both, place, !want)
		}
	}
}

// refused wants grants not to compile, with words about two of them.
func refused(t *testing.T, words string, list ...grants.Grant) {
	t.Helper()
	set, problems := grants.Compile(list, nil)
	if set != nil || len(problems) != 1 {
		t.Errorf("want one problem with %q, have %v", words, problems)
		return
	}
	var of *grants.Error
	if !errors.As(problems[0], &of) || of.Index != len(list)-1 || !strings.Contains(of.Error(), words) {
		t.Errorf("the problem is %v, want one with %q", problems[0], words)
	}
}

func TestTiesAreErrors(t *testing.T) {
	a := "s3://bucket/a/"
	refused(t, "grants 1 and 2 both give role "+arn("r")+" the prefix "+a, grant("r", anywhere, a), grant("r", anywhere, a))
	refused(t, "grants 1 and 3 both", grant("r", projects(1, 2), a), grant("r", projects(4), a), grant("r", projects(2, 3), "s3://bucket/b/", a))
	refused(t, "grants 1 and 2 both", grant("r", grants.Scope{Workspaces: []int64{1}}, a), grant("r", grants.Scope{Workspaces: []int64{1}}, a))
	refused(t, "grants 1 and 2 both", grant("r", grants.Scope{Organizations: []int64{1, 2}, Projects: []int64{7}}, a), grant("r", grants.Scope{Organizations: []int64{2}, Projects: []int64{7}}, a))
	refused(t, "twice", grant("r", anywhere, a, a))

	compile(t, grant("r", projects(1), a), grant("r", projects(2), a), grant("r", anywhere, a), grant("s", anywhere, a), grant("r", grants.Scope{Organizations: []int64{1}}, a),
		grant("r", grants.Scope{Organizations: []int64{1}, Projects: []int64{3}}, a), grant("r", grants.Scope{Organizations: []int64{2}, Projects: []int64{3}}, a), grant("r", anywhere, "s3://bucket/"), grant("r", anywhere, "s3://other/a/"))
}

func TestWhatIsNoGrant(t *testing.T) {
	a := grant("r", anywhere, "s3://bucket/a/")
	for _, role := range []string{
		"", "radiology", "arn:aws:iam::111122223333:role/", "arn:aws:iam::111122223333:role//x", "arn:aws:iam::1111:role/x", "arn:aws:iam::111122223333:user/x", "arn:aws:sts::111122223333:assumed-role/x/y", "arn:aws:iam::111122223333:role/*", "arn:aws:iam::111122223333:role/a,b",
		"arn:aws:iam::111122223333:role/x ", "arn:aws:iam::111122223333:role/x\n", "ARN:aws:iam::111122223333:role/x", "arn:gcp:iam::111122223333:role/x", "arn:aws:iam::111122223333:role/" + strings.Repeat("x", 65),
		"arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_x_1", "arn:aws:iam::111122223333:role/AWSReservedSSO_x",
	} {
		g := a
		g.Role = role
		if set, problems := grants.Compile([]grants.Grant{g}, nil); set != nil || len(problems) == 0 {
			t.Errorf("the role %q is granted something", role)
		}
	}
	for _, role := range []string{"arn:aws-cn:iam::111122223333:role/x", "arn:aws-us-gov:iam::111122223333:role/a/b/X_+=.@-1"} {
		if err := grants.CheckRole(role); err != nil {
			t.Errorf("%s: %v", role, err)
		}
	}
	for _, read := range [][]grants.Prefix{nil, {{}}, {{Bucket: "bucket", Key: "a"}}, {{Bucket: "bucket/a", Key: "b/"}}, {{Bucket: "bucket", Key: "../"}}, {{Bucket: "b", Key: ""}}} {
		g := a
		g.Read = read
		if set, problems := grants.Compile([]grants.Grant{g}, nil); set != nil || len(problems) != 1 {
			t.Errorf("%+v is granted: %v", read, problems)
		}
	}
	refused(t, "too long for a session policy", grant("r", anywhere, "s3://bucket/"+strings.Repeat("*", 1000)+"/"))
	set := compile(t)
	if set.Granted(arn("r")) || set.Any(arns([]string{"r"}), presign.Location{Bucket: "bucket", Key: "k"}) {
		t.Error("no grants grant something")
	}
	if _, problems := grants.Compile([]grants.Grant{{}, a, {}}, nil); len(problems) != 6 || !slices.IsSortedFunc(problems, func(x, y error) int { return strings.Compare(x.Error()[:8], y.Error()[:8]) }) {
		t.Errorf("not every problem is told: %v", problems)
	}
}

func TestGranted(t *testing.T) {
	set := hospital(t).set
	for role, want := range map[string]bool{arn("radiology"): true, arn("research"): true, arn("contractor"): false, arn("Radiology"): false, "": false, "radiology": false} {
		if set.Granted(role) != want {
			t.Errorf("%s: granted is %v", role, !want)
		}
	}
}

// TestASetDoesNotChange: whoever made the list may use it for something else.
func TestASetDoesNotChange(t *testing.T) {
	list := []grants.Grant{grant("r", projects(12), "s3://bucket/a/")}
	b := book{t, compile(t, list...)}
	list[0].Scope.Projects[0], list[0].Read[0] = 13, grants.Prefix{Bucket: "other"}
	b.allow("s3://bucket/a/k", project(12), "r")
	b.deny("s3://bucket/a/k", project(13), "r")
}
