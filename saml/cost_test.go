package saml_test

import (
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/rolepass/rolepass/saml/samltest"
)

// BenchmarkCatalogue is what every refused response of the catalogue costs,
// forgeries and bombs alike: the median and the dearest, in processor time and
// in bytes, of those that are refused before any cryptography and of the rest.
//
//	go test -run '^$' -bench Catalogue -benchtime 1x ./saml
func BenchmarkCatalogue(b *testing.B) {
	idp := newIdP(b)
	sp := newSP(b, idp)
	costs := map[bool][]cost{}
	for b.Loop() {
		for _, v := range samltest.Catalogue() {
			spec, now := v.Refused()
			encoded, expect := idp.Response(spec), expecting(v)
			sp.Now, sp.Decryption, sp.AuthnContext = at(now), nil, v.Contexts
			if v.Decrypts {
				sp.Decryption = sceneDecryption(b)
			}
			costs[afterwards(v)] = append(costs[afterwards(v)], measured(func() {
				if _, err := sp.Verify(encoded, expect); err == nil {
					b.Fatalf("%s is accepted", v.Name)
				}
			}))
		}
	}
	for after, list := range costs {
		name := map[bool]string{false: "before", true: "after"}[after]
		slices.SortFunc(list, func(a, b cost) int { return int(a.cpu - b.cpu) })
		b.ReportMetric(float64(list[len(list)/2].cpu)/1e6, name+"-median-ms")
		b.ReportMetric(float64(list[len(list)-1].cpu)/1e6, name+"-most-ms")
		slices.SortFunc(list, func(a, b cost) int { return int(a.bytes) - int(b.bytes) })
		b.ReportMetric(float64(list[len(list)/2].bytes)/(1<<20), name+"-median-MiB")
		b.ReportMetric(float64(list[len(list)-1].bytes)/(1<<20), name+"-most-MiB")
	}
}

// afterwards says that a vector is refused by cryptography or after it.
func afterwards(v samltest.Vector) bool {
	return v.Decrypts || slices.Contains([]string{"saml_signature", "saml_library"}, v.Code)
}

// measuredOnce is what one call costs.
func measuredOnce(call func()) cost {
	began := processorTime()
	bytes := allocated(call)
	return cost{processorTime() - began, bytes}
}

// cost is the median of one call's costs.
type cost struct {
	cpu   time.Duration
	bytes uint64
}

func measured(call func()) cost {
	const calls = 9
	var all []time.Duration
	bytes := allocated(func() {
		for range calls {
			began := processorTime()
			call()
			all = append(all, processorTime()-began)
		}
	})
	slices.Sort(all)
	return cost{all[calls/2], bytes / calls}
}

// allocated is how many bytes a call takes.
func allocated(call func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	call()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// processorTime is what the process has used until now.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
