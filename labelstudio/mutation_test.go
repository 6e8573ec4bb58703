package labelstudio_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/labelstudio"
)

// disguises change a path in a way that some server undoes.
var disguises = []func(r *rand.Rand, p string) string{
	func(r *rand.Rand, p string) string { // escape one byte, also one of an escape
		i := r.IntN(len(p))
		return p[:i] + fmt.Sprintf([]string{"%%%02x", "%%%02X"}[r.IntN(2)], p[i]) + p[i+1:]
	},
	func(r *rand.Rand, p string) string { return atSlash(r, p, "//") },
	func(r *rand.Rand, p string) string { return atSlash(r, p, "/./") },
	func(r *rand.Rand, p string) string { return atSlash(r, p, "/x/../") },
	func(r *rand.Rand, p string) string { return atSlash(r, p, `\`) },
	func(r *rand.Rand, p string) string { return atSlash(r, p, ";a=b/") },
	func(r *rand.Rand, p string) string { // fold one letter
		i := r.IntN(len(p))
		return p[:i] + strings.ToUpper(p[i:i+1]) + p[i+1:]
	},
	func(_ *rand.Rand, p string) string { return "/mounted/here" + p },
	func(_ *rand.Rand, p string) string { return p + "?" },
}

func atSlash(r *rand.Rand, p, with string) string {
	var at []int
	for i := 1; i < len(p); i++ {
		if p[i] == '/' {
			at = append(at, i)
		}
	}
	if len(at) == 0 {
		return p
	}
	i := at[r.IntN(len(at))]
	return p[:i] + with + p[i+1:]
}

// A fetch under up to six disguises is refused, or still exactly the fetch.
func TestNoDisguiseReachesTheApplication(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	doors := []string{"/tasks/3/resolve/", "/tasks/3/presign", "/projects/12/resolve", "/projects/12/presign/", "/data/local-files/", "/storage-data/uploaded/"}
	for range 50_000 {
		p := doors[r.IntN(len(doors))]
		steps := []string{p}
		for range 1 + r.IntN(6) {
			p = disguises[r.IntN(len(disguises))](r, p)
			steps = append(steps, p)
		}
		got := labelstudio.Read("GET", p+"?fileuri="+red)
		if got.Kind == labelstudio.App || got.Kind == labelstudio.SignIn || got.Kind == labelstudio.Logout {
			t.Fatalf("passed on as %s:\n%s", got.Kind, strings.Join(steps, "\n"))
		}
		if got.Kind == labelstudio.Fetch && (got.Location.Bucket != "proj-a" || got.Location.Key != "images/red.png" || got.Task != 3 && got.Project != 12) {
			t.Fatalf("read as another fetch, %+v:\n%s", got, strings.Join(steps, "\n"))
		}
	}
}
