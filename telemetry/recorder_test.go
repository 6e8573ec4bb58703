package telemetry_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/grants"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/telemetry"
)

// recorded gives the lines of these events.
func recorded(t *testing.T, keys bool, events ...*decision.Event) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "recorded.jsonl")
	a, err := telemetry.OpenRecorder(file, telemetry.RecorderOptions{JournalOptions: options(never(t)).JournalOptions, Keys: keys,
		Prefixes: []grants.Prefix{{Bucket: "imaging", Key: "radiology/"}, {Bucket: "imaging", Key: "radiology/2026/"}, {Bucket: "notes", Key: "radiology/2026/may/"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		a.Sink(e)
	}
	if err := a.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the record is %v, %v", info.Mode(), err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// Of a fetch there is kept who asked with which roles, and of the key what a
// grant's prefix says of it, unless the operator wants all of it.
func TestWhatIsRecordedOfAFetch(t *testing.T) {
	e := event(decision.Stream)
	e.Session.Roles = []string{e.Role}
	e.Location = presign.Location{Bucket: "imaging", Key: "radiology/2026/may/canary-key.png"}
	e.Place = grants.Place{Project: 12}
	lines := recorded(t, false, e)
	if len(lines) != 2 || !strings.Contains(lines[0], `"prefixes":["s3://imaging/radiology/","s3://imaging/radiology/2026/","s3://notes/radiology/2026/may/"]`) {
		t.Fatalf("recorded %q", lines)
	}
	want := `{"time":"2027-01-15T08:00:00Z","idp":"corp","who":"lovelace","roles":["arn:aws:iam::111122223333:role/radiology"],"bucket":"imaging","prefix":"radiology/2026/","task":7,"confirmed":true,"project":12,"kind":"stream","code":"stream","role":"arn:aws:iam::111122223333:role/radiology"}`
	if lines[1] != want {
		t.Errorf("recorded\n%s, want\n%s", lines[1], want)
	}
	for _, secret := range []string{"canary", e.Session.ID, e.Session.Handle(), "r-1"} {
		if strings.Contains(lines[1], secret) {
			t.Errorf("%s is recorded", secret)
		}
	}
	if lines := recorded(t, true, e); !strings.Contains(lines[1], `"key":"radiology/2026/may/canary-key.png"`) {
		t.Errorf("with keys: recorded %s", lines[1])
	}
}

// What no configuration would change is not recorded.
func TestWhatIsNotRecorded(t *testing.T) {
	nobody, page, app, odd := event(decision.Refuse), event(decision.Page), event(decision.Pass), event(decision.Refuse)
	nobody.Session = nil
	app.Location = presign.Location{}
	odd.Refusal = refusal.New(refusal.Forbidden, "fetch_destination", "a script")
	if lines := recorded(t, false, nobody, page, app, odd); len(lines) != 1 {
		t.Errorf("recorded %q", lines[1:])
	}
	door := event(decision.Pass)
	door.Location, door.Door = presign.Location{}, "export"
	if lines := recorded(t, false, door); len(lines) != 2 || !strings.Contains(lines[1], `"door":"export"`) {
		t.Errorf("of a side door is recorded %q", lines)
	}
}
