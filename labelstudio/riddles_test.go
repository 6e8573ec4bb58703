package labelstudio_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/labelstudio"
)

// filled repeats a part of a path up to the longest path that is read.
func filled(part, end string) string {
	return "/" + strings.Repeat(part, (4<<10-1-len(end))/len(part)) + end
}

// What anybody may send without being signed in is read with little work, however
// it is made. The memory that it takes stands for the work: it is the same on every
// machine.
func TestRiddlesAreReadWithLittleWork(t *testing.T) {
	const exports = "api/projects/1/exports/2/download/"
	query := "?exportType=JSON" + strings.Repeat("&a", 4000)
	for name, target := range map[string]string{
		"nested escapes":                  filled("%25", strings.Repeat("25", 100)+"2e"),
		"parameters and backslashes":      filled(`a;b\%2e%2e/`, ""),
		"many forms of a long path":       filled("a/", `%25252525253b/..%255c..;a%2523%253f%2e`),
		"an API again and again":          filled("API/", ""),
		"an API in many forms":            filled("API/", `%25252525253b/..%255c..;a%2523%253f%2e`),
		"exports, each with a long query": filled(exports, "") + query,
		"exports in many forms":           filled(exports, `%25252525253b/..%255c..;a%2523%253f%2e`) + query,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		labelstudio.Read("GET", target)
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
			t.Errorf("%s took %d KiB", name, took>>10)
		}
	}
}
