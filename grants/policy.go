package grants

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
)

// maxPolicy is STS's limit for a session policy, in characters of its plain
// text (API reference of AssumeRoleWithSAML, Policy).
const maxPolicy = 2048

// policy is an IAM policy document. All of it is ASCII, so that characters
// are bytes and STS's limit to U+00FF is kept.
type policy struct {
	Version   string
	Statement []statement
}

type statement struct {
	Effect    string
	Action    string
	Resource  any
	Condition any `json:",omitempty"`
}

// SessionPolicies are the policies that narrow a role's credentials to what
// is granted to it: s3:GetObject under the prefixes and nothing else, but for
// the decryption that S3 asks for in the role's name where a bucket has
// SSE-KMS. More than STS takes at once becomes several, each for credentials
// of its own; Choice.Shard is an index into them. The error is of a role to
// which nothing is granted.
func (s *Set) SessionPolicies(roleARN string) ([]string, error) {
	r := s.roles[roleARN]
	if r == nil {
		return nil, fmt.Errorf("no grant names the role %s", roleARN)
	}
	return slices.Clone(r.policies), nil
}

// compilePolicies writes the policies of every role and tells each prefix in
// which of them it is.
func (s *Set) compilePolicies(list []Grant, kms map[string]string) []error {
	var problems []error
	shards := map[string]*sharder{}
	for i, g := range list {
		sh := shards[g.Role]
		if sh == nil {
			sh = &sharder{role: s.roles[g.Role], partition: partition(g.Role), kms: kms, filed: map[Prefix]bool{}}
			shards[g.Role] = sh
		}
		for j, p := range g.Read {
			if err := sh.file(sh.role.widest(p)); err != nil {
				problems = append(problems, &Error{i, j, err})
			}
		}
	}
	for _, sh := range shards {
		sh.close()
		sh.role.shardTheRest()
	}
	return problems
}

// widest is the shortest prefix of the role that covers another: the only one
// that the policy has to name.
func (r *role) widest(p Prefix) Prefix {
	b := r.buckets[p.Bucket]
	for _, length := range slices.Backward(b.lengths) {
		if _, ok := b.covering(p.Key, length); ok {
			return Prefix{p.Bucket, p.Key[:length]}
		}
	}
	return p
}

// shardTheRest gives every prefix the shard of the one that covers it.
func (r *role) shardTheRest() {
	for name, b := range r.buckets {
		for key, n := range b.prefixes {
			w := r.widest(Prefix{name, key})
			n.shard = b.prefixes[w.Key].shard
		}
	}
}

// sharder fills one policy after the other, in the order of the grants.
type sharder struct {
	role      *role
	partition string
	kms       map[string]string
	filed     map[Prefix]bool
	// resources and regions are what the open policy allows so far.
	resources, regions []string
}

func (sh *sharder) file(p Prefix) error {
	if sh.filed[p] {
		return nil
	}
	sh.filed[p] = true
	resource := "arn:" + sh.partition + ":s3:::" + escapeResource(p.Bucket+"/"+p.Key) + "*"
	region := sh.kms[p.Bucket]
	if !sh.fits(resource, region) {
		sh.close()
		if !sh.fits(resource, region) {
			return fmt.Errorf("the prefix %s is too long for a session policy, which has at most %d characters: grant a shorter one", p, maxPolicy)
		}
	}
	sh.resources, sh.regions = sh.with(resource, region)
	sh.role.buckets[p.Bucket].prefixes[p.Key].shard = len(sh.role.policies)
	return nil
}

func (sh *sharder) with(resource, region string) (resources, regions []string) {
	resources = append(slices.Clip(sh.resources), resource)
	regions = sh.regions
	if region != "" && !slices.Contains(regions, region) {
		regions = append(slices.Clip(regions), region)
	}
	return resources, regions
}

func (sh *sharder) fits(resource, region string) bool {
	return len(writePolicy(sh.with(resource, region))) <= maxPolicy
}

func (sh *sharder) close() {
	if len(sh.resources) > 0 {
		sh.role.policies = append(sh.role.policies, writePolicy(sh.resources, sh.regions))
	}
	sh.resources, sh.regions = nil, nil
}

// escapeResource makes IAM take a name literally: "*", "?" and "$" have a
// meaning in a Resource (IAM user guide, "Policy variables", special
// characters). MinIO does not know these three variables and denies what is
// under such a prefix.
func escapeResource(name string) string {
	return strings.NewReplacer("*", "${*}", "?", "${?}", "$", "${$}").Replace(name)
}

// writePolicy writes the document. The keys that encrypt a bucket are not
// ours to know, so any key may decrypt, but only for S3 in the bucket's
// region, and never more than the role itself may.
func writePolicy(resources, regions []string) string {
	document := policy{Version: "2012-10-17", Statement: []statement{{Effect: "Allow", Action: "s3:GetObject", Resource: resources}}}
	if len(regions) > 0 {
		var services []string
		for _, region := range regions {
			services = append(services, "s3."+region+".amazonaws.com*") // and .amazonaws.com.cn
		}
		document.Statement = append(document.Statement, statement{
			Effect: "Allow", Action: "kms:Decrypt", Resource: "*",
			Condition: map[string]any{"StringLike": map[string]any{"kms:ViaService": services}},
		})
	}
	return ascii(document)
}

// ascii is JSON with everything beyond ASCII as \u escapes.
func ascii(document any) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(document); err != nil {
		panic(err) // strings, lists and maps of strings only
	}
	var out strings.Builder
	for _, c := range strings.TrimSuffix(text.String(), "\n") {
		if c < 0x80 {
			out.WriteRune(c)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, c) {
			fmt.Fprintf(&out, `\u%04x`, unit)
		}
	}
	return out.String()
}
