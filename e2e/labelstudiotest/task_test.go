package labelstudiotest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"testing"

	"github.com/rolepass/rolepass/grants"
	"github.com/rolepass/rolepass/labelstudio"
	"github.com/rolepass/rolepass/labelstudio/client"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
)

// fetches are the addresses that Label Studio writes into a task.
var fetches = regexp.MustCompile(`/tasks/[0-9]+/resolve/\?fileuri=[A-Za-z0-9_=-]*`)

// What the client says a task names is what Label Studio itself makes addresses
// of, value by value; and each of those addresses is one that the reader reads.
func TestATaskNamesWhatLabelStudioWouldFetch(t *testing.T) {
	s := labelStudio(t)
	id := signsIn(t, s.accounts(), person(t, "ada"))
	project := s.project(t)
	for name, c := range map[string]struct {
		data  any
		keys  []string // that it names
		other []string // that it does not, though they stand in it
		// refused: Label Studio writes an address that names no object of S3.
		refused bool
	}{
		"a value":          {"s3://imaging/red lung+1&=.png", []string{"red lung+1&=.png"}, []string{"red lung 1&=.png", "red"}, false},
		"unicode":          {"s3://imaging/größe/日本.dcm", []string{"größe/日本.dcm"}, nil, false},
		"white space":      {" \n\x1cs3://imaging/k.png\u00a0\t", []string{"k.png"}, nil, false},
		"nested":           {map[string]any{"deep": []any{"s3://imaging/a.png", map[string]any{"x": "s3://imaging/b.png"}, 7, nil}}, []string{"a.png", "b.png"}, nil, false},
		"HTML":             {`<p><img src="s3://imaging/one.png"> <img alt="x" src="s3://imaging/two.png">`, []string{"one.png"}, []string{"two.png"}, false},
		"HTML, single":     {`<img src='s3://imaging/one.png' alt=''>`, []string{"one.png"}, nil, false},
		"HTML, both":       {`<img src="s3://imaging/it's.png">`, []string{"it's.png"}, []string{"it"}, false},
		"HTML, greedy":     {`<img src="s3://imaging/one.png"> said "so"`, []string{`one.png"> said "so`}, []string{"one.png"}, false},
		"HTML, equals":     {`<img src="s3://imaging/a=b.png">`, nil, []string{"a=b.png", "a"}, false},
		"HTML, unclosed":   {`<img src="s3://imaging/one> <img src='s3://imaging/two.png'>`, []string{"two.png"}, []string{"one"}, false},
		"HTML, a space":    {`<img src=" s3://imaging/one.png">`, nil, []string{"one.png"}, false},
		"JSON in a string": {`["s3://imaging/one.png"]`, []string{"one.png"}, nil, false},
		"prose":            {"see s3://imaging/one.png", nil, []string{"one.png"}, false},
		"another case":     {"S3://imaging/one.png", nil, []string{"one.png"}, false},
		"another scheme":   {"s3a://imaging/one.png", nil, []string{"one.png"}, true},
		"a key of objects": {map[string]any{"s3://imaging/one.png": 1}, nil, []string{"one.png"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			task := s.task(t, project, map[string]any{"image": "x.png", "value": c.data})
			answer, err := s.client().Task(t.Context(), s.asker(t, id), task)
			if err != nil || answer.Place != (grants.Place{Project: project}) {
				t.Fatalf("%+v, %v", answer, err)
			}
			for _, key := range c.keys {
				if !answer.Names(presign.Location{Bucket: "imaging", Key: key}) {
					t.Errorf("%q is not named", key)
				}
			}
			for _, key := range c.other {
				if answer.Names(presign.Location{Bucket: "imaging", Key: key}) {
					t.Errorf("%q is named", key)
				}
			}
			fetched := map[string]bool{}
			for _, address := range s.addresses(t, id, task) {
				reading := labelstudio.Read("GET", address)
				if c.refused && reading.Kind == labelstudio.Refused {
					continue // not an object of S3; it is not passed on either
				}
				if reading.Kind != labelstudio.Fetch || reading.Task != task || !answer.Names(reading.Location) {
					t.Errorf("Label Studio writes %s, which is read as %s %v; named: %v", address, reading.Kind, reading.Refusal, answer.Names(reading.Location))
				}
				fetched[reading.Location.Key] = true
			}
			for _, key := range c.keys {
				if !fetched[key] {
					t.Errorf("%q is named, and Label Studio writes no address for it", key)
				}
			}
			if len(fetched) != len(c.keys) {
				t.Errorf("Label Studio writes addresses for %v, want %v", fetched, c.keys)
			}
		})
	}
}

// addresses are the fetches in a task as a page of Label Studio gets it.
func (s *studio) addresses(t *testing.T, user, task int64) []string {
	t.Helper()
	var page struct {
		Data json.RawMessage `json:"data"`
	}
	s.must(t, "GET", fmt.Sprintf("/api/tasks/%d/", task), user, nil, &page)
	return fetches.FindAllString(string(page.Data), -1)
}

func TestTasksThatAreNotThere(t *testing.T) {
	s := labelStudio(t)
	id := signsIn(t, s.accounts(), person(t, "ada"))
	project := s.project(t)
	c := s.client()
	for _, ask := range []func() (client.Answer, error){
		func() (client.Answer, error) { return c.Task(t.Context(), s.asker(t, id), 999_999) },
		func() (client.Answer, error) { return c.Task(t.Context(), s.asker(t, id), 999_999_999_999_999_999) },
		func() (client.Answer, error) { return c.Project(t.Context(), s.asker(t, id), 999_999) },
	} {
		var r *refusal.Refusal
		if _, err := ask(); !errors.As(err, &r) || r.Code != client.CodeNotTheirs {
			t.Errorf("it gives %v", err)
		}
	}
	var r *refusal.Refusal
	nobody := s.asker(t, 999_999)
	if _, err := c.Project(t.Context(), nobody, project); !errors.As(err, &r) || r.Code != client.CodeIdentity {
		t.Errorf("a user who is not there gets %v", err)
	}
}

func TestPlaceAndVersion(t *testing.T) {
	s := labelStudio(t)
	id := signsIn(t, s.accounts(), person(t, "ada"))
	project := s.project(t)
	task := s.task(t, project, map[string]any{"image": "s3://imaging/k.png"})
	c := s.client()
	c.WholePlace = true
	want := grants.Place{Organization: 1, Project: project}
	if answer, err := c.Task(t.Context(), s.asker(t, id), task); err != nil || answer.Place != want {
		t.Errorf("%+v, %v; want %+v", answer.Place, err, want)
	}
	if version, err := c.Version(t.Context()); version != "1.23.2" || err != nil {
		t.Errorf("the release is %q, %v; the reader knows the routes of 1.23.2", version, err)
	}
}
