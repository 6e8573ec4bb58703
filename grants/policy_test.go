package grants_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/grants"
	"github.com/rolepass/rolepass/presign"
	"pgregory.net/rapid"
)

func policies(t require, set *grants.Set, role string) []string {
	t.Helper()
	list, err := set.SessionPolicies(role)
	if err != nil {
		t.Fatalf("the policies of %s: %v", role, err)
	}
	return list
}

func TestSessionPolicy(t *testing.T) {
	kms := map[string]string{"secret": "eu-west-1", "sealed": "eu-west-1", "elsewhere": "us-east-1"}
	china := grants.Grant{Role: "arn:aws-cn:iam::111122223333:role/r", Read: grant("r", anywhere, "s3://china/").Read, Scope: anywhere}
	set, problems := grants.Compile([]grants.Grant{
		grant("plain", anywhere, "s3://imaging/radiology/"),
		grant("plain", projects(1), "s3://imaging/radiology/", "s3://imaging/radiology/deep/", "s3://papers/"),
		grant("odd", anywhere, "s3://bucket/a*b/", "s3://bucket/${aws:username}/", "s3://bucket/\"q\"\\<&>/ü🫁/"),
		grant("kms", anywhere, "s3://imaging/", "s3://secret/x/", "s3://sealed/", "s3://elsewhere/"),
		china,
	}, kms)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	const get = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":[`
	for role, want := range map[string]string{
		arn("plain"): get + `"arn:aws:s3:::imaging/radiology/*","arn:aws:s3:::papers/*"]}]}`,
		arn("odd"):   get + `"arn:aws:s3:::bucket/a${*}b/*","arn:aws:s3:::bucket/${$}{aws:username}/*","arn:aws:s3:::bucket/\"q\"\\<&>/\u00fc\ud83e\udec1/*"]}]}`,
		arn("kms"): get + `"arn:aws:s3:::imaging/*","arn:aws:s3:::secret/x/*","arn:aws:s3:::sealed/*","arn:aws:s3:::elsewhere/*"]},` +
			`{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringLike":{"kms:ViaService":["s3.eu-west-1.amazonaws.com*","s3.us-east-1.amazonaws.com*"]}}}]}`,
		china.Role: get + `"arn:aws-cn:s3:::china/*"]}]}`,
	} {
		if got := policies(t, set, role); len(got) != 1 || got[0] != want {
			t.Errorf("%s:\n got %s\nwant %s", role, got, want)
		}
	}
	if list, err := set.SessionPolicies(arn("nobody")); err == nil {
		t.Errorf("a role that nothing is granted to has the policies %q", list)
	}
	policies(t, set, arn("plain"))[0] = "{}"
	if policies(t, set, arn("plain"))[0] == "{}" {
		t.Error("whoever asks for the policies can change them")
	}
}

// TestShards: whatever the prefixes are, each policy is within STS's limits,
// and the one that Choose points to is one that allows the object.
func TestShards(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		segment := rapid.StringOfN(rapid.RuneFrom([]rune("abc*$ü\"\\ 🫁")), 1, 60, 200)
		var list []grants.Grant
		seen := map[string]bool{}
		for i := range rapid.IntRange(1, 60).Draw(t, "prefixes") {
			uri := fmt.Sprintf("s3://bucket-%d/%s/", i%3, strings.ReplaceAll(segment.Draw(t, "segment"), "?", ""))
			if rapid.Bool().Draw(t, "deeper") {
				uri += "x/"
			}
			if !seen[uri] {
				seen[uri] = true
				list = append(list, grant("r", anywhere, uri))
			}
		}
		set, problems := grants.Compile(list, map[string]string{"bucket-1": "eu-west-1"})
		if len(problems) > 0 {
			t.Fatalf("%v", problems)
		}
		shards := policies(t, set, arn("r"))
		for _, p := range shards {
			if len(p) > 2048 || strings.ContainsFunc(p, func(c rune) bool { return c < ' ' || c > '~' }) {
				t.Fatalf("STS does not take a policy of %d characters: %s", len(p), p)
			}
		}
		for _, g := range list {
			l := presign.Location{Bucket: g.Read[0].Bucket, Key: g.Read[0].Key + "k"}
			choice, ok := set.Choose([]string{arn("r")}, l, grants.Place{})
			if !ok || choice.Shard >= len(shards) || !allows(t, shards[choice.Shard], l) {
				t.Fatalf("%s: shard %d does not allow it", l.URI(), choice.Shard)
			}
			if decrypts := strings.Contains(shards[choice.Shard], "kms:Decrypt"); g.Read[0].Bucket == "bucket-1" && !decrypts {
				t.Fatalf("%s: shard %d cannot decrypt it", l.URI(), choice.Shard)
			}
		}
	})
}

// allows reads a policy as IAM does: its resources with "*" at the end, and
// the three characters of policy variables taken literally.
func allows(t require, policy string, l presign.Location) bool {
	var document struct {
		Statement []struct {
			Action   string
			Resource any
		}
	}
	if err := json.Unmarshal([]byte(policy), &document); err != nil {
		t.Fatalf("%s: %v", policy, err)
	}
	for _, resource := range document.Statement[0].Resource.([]any) {
		prefix, ok := strings.CutSuffix(resource.(string), "*")
		literal := strings.NewReplacer("${*}", "*", "${?}", "?", "${$}", "$").Replace(prefix)
		if ok && strings.HasPrefix("arn:aws:s3:::"+l.Bucket+"/"+l.Key, literal) {
			return true
		}
	}
	return false
}

func TestManyPrefixesBecomeShards(t *testing.T) {
	var list []grants.Grant
	for i := range 200 {
		list = append(list, grant("r", anywhere, fmt.Sprintf("s3://bucket/folder-%03d/", i)))
	}
	set := compile(t, list...)
	if n := len(policies(t, set, arn("r"))); n < 4 || n > 6 {
		t.Errorf("200 prefixes of 40 characters make %d policies", n)
	}
}
