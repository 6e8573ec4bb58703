package client_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rolepass/rolepass/labelstudio/client"
	"github.com/rolepass/rolepass/presign"
)

// values draws data as a member may write it, and gives the strings in it that are
// values and not keys.
func values(t *rapid.T, depth int) (data any, named []string) {
	texts := rapid.SampledFrom([]string{"s3://b/k", "s3://b/ä \"+\\", "s3://b/\u2028<&>", "s3://b/{\"a\": [", "", "7", "s3"})
	switch kind := rapid.IntRange(0, 6).Draw(t, "kind"); {
	case kind == 0:
		return rapid.SampledFrom([]any{nil, true, 7, -1e300, json.Number("1e999")}).Draw(t, "scalar"), nil
	case kind < 3 || depth > 4:
		text := texts.Draw(t, "text")
		return text, []string{text}
	case kind < 5:
		list := []any{}
		for range rapid.IntRange(0, 4).Draw(t, "items") {
			item, in := values(t, depth+1)
			list, named = append(list, item), append(named, in...)
		}
		return list, named
	}
	object := map[string]any{}
	for range rapid.IntRange(0, 4).Draw(t, "members") {
		key := texts.Draw(t, "key") + fmt.Sprint(len(object))
		item, in := values(t, depth+1)
		object[key], named = item, append(named, in...)
	}
	return object, named
}

// What data names is what its values say, and never a key, however they are nested.
func TestWhatDataNamesAreItsValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data, all := values(t, 0)
		text, err := json.MarshalIndent(data, "", rapid.SampledFrom([]string{"", " ", "\n"}).Draw(t, "indent"))
		if err != nil {
			t.Fatal(err)
		}
		want := slices.DeleteFunc(all, func(s string) bool { return !strings.HasPrefix(s, "s3://") })
		slices.Sort(want)
		want = slices.Compact(want)
		if got, err := client.Named(text); err != nil || !slices.Equal(got, want) {
			t.Fatalf("%s\nnames %q, want %q (%v)", text, got, want, err)
		}
	})
}

// Four million bytes of data take about as much memory while they are read: a member
// writes what becomes fifty times as much where it is made into values, and has
// as many of them read at once as there are turns.
func TestDataIsNotMadeIntoValues(t *testing.T) {
	for _, unit := range []string{`{},`, `[],`, `[[]],`} {
		data := `{"image": "s3://b/k", "x": [` + strings.Repeat(unit, (4<<20-1000)/len(unit)) + `0]}`
		c := serving(t, func(w http.ResponseWriter, r *http.Request) { task(data)(w, r) })
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		answer, err := c.Task(t.Context(), ada, 3)
		runtime.ReadMemStats(&after)
		if err != nil || !answer.Names(presign.Location{Bucket: "b", Key: "k"}) {
			t.Fatalf("a task of %d bytes: %v", len(data), err)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 96<<20 {
			t.Errorf("reading 4 MiB of %s took %d MiB", unit, took>>20)
		}
	}
}
