package grants_test

import (
	"fmt"
	"testing"

	"github.com/rolepass/rolepass/grants"
	"github.com/rolepass/rolepass/presign"
)

// BenchmarkChoose grows each thing of which there may be many; what a choice
// costs must not grow with it.
func BenchmarkChoose(b *testing.B) {
	for what, list := range map[string]func(n int) grants.Grant{
		"roles":    func(n int) grants.Grant { return grant(fmt.Sprint("r", n), projects(12), "s3://bucket/a/b/") },
		"prefixes": func(n int) grants.Grant { return grant("r0", projects(12), fmt.Sprintf("s3://bucket/a%04d/b/", n)) },
		"projects": func(n int) grants.Grant { return grant("r0", projects(int64(n)+1), "s3://bucket/a/b/") },
	} {
		for _, n := range []int{1, 20, 200, 2000} {
			var all []grants.Grant
			for i := range n {
				all = append(all, list(i))
			}
			set := compile(b, all...)
			roles := arns([]string{"r0", "r1", "other"})
			last := all[0]
			l, p := presign.Location{Bucket: "bucket", Key: last.Read[0].Key + "c/image-0001.png"}, grants.Place{Organization: 1, Project: last.Scope.Projects[0]}
			b.Run(fmt.Sprintf("%s=%d", what, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, ok := set.Choose(roles, l, p); !ok || !set.Any(roles, l) {
						b.Fatal("refused")
					}
				}
			})
		}
	}
}
