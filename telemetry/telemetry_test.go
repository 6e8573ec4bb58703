package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/e2e/canary"
	"github.com/rolepass/rolepass/labelstudio"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/session"
	"github.com/rolepass/rolepass/telemetry"
)

// secrets are those of all tests here, and TestMain looks for them in every audit
// and log of theirs.
var secrets canary.Suite

func TestMain(m *testing.M) {
	for _, one := range []string{"canary-nameid", "canary-email", "canary-key.png", strings.Repeat("5e551", 13)} {
		secrets.Keep("what an event holds", one)
	}
	goleak.VerifyTestMain(secrets.After(m))
}

func now() time.Time { return time.Date(2027, 1, 15, 8, 0, 0, 0, time.UTC) }

func options(lost func(int)) telemetry.AuditOptions {
	return telemetry.AuditOptions{Key: []byte("a key of the test"), JournalOptions: telemetry.JournalOptions{Lost: lost, Log: slog.New(slog.DiscardHandler), Now: now}}
}

func never(t *testing.T) func(int) {
	return func(n int) { t.Errorf("%d records were lost", n) }
}

// event is one with something recognisable in every part.
func event(kind decision.Kind) *decision.Event {
	return &decision.Event{
		Time: now(), Took: 1500 * time.Microsecond, RequestID: "r-1", Method: "GET", Kind: kind,
		Session:  &session.Session{ID: strings.Repeat("5e551", 13), AppUser: 42, Principal: saml.Principal{IdP: "corp", NameID: "canary-nameid", Email: "canary-email", SessionName: "lovelace"}},
		Location: presign.Location{Bucket: "imaging", Key: "canary-key.png"}, Task: 7, Role: "arn:aws:iam::111122223333:role/radiology", Grant: 1,
	}
}

// audited gives the lines of these events.
func audited(t *testing.T, events ...*decision.Event) []map[string]any {
	t.Helper()
	var out bytes.Buffer
	a := telemetry.NewAudit(&out, options(never(t)))
	for _, e := range events {
		a.Sink(e)
	}
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, _ = secrets.Writer("the audit").Write(out.Bytes())
	if strings.Contains(out.String(), "canary") {
		t.Errorf("the audit shows a secret: %s", out.String())
	}
	var lines []map[string]any
	for line := range strings.Lines(out.String()) {
		var one map[string]any
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, one)
	}
	return lines
}

func TestWhatTheAuditSaysOfAFetch(t *testing.T) {
	lines := audited(t, event(decision.Stream))
	want := map[string]any{
		"time": "2027-01-15T08:00:00Z", "request_id": "r-1", "kind": "stream", "code": "stream", "method": "GET", "session": "5e5515e5515e", "idp": "corp", "who": "lovelace",
		"bucket": "imaging", "task": 7.0, "role": "arn:aws:iam::111122223333:role/radiology", "grant": 1.0, "took_us": 1500.0,
	}
	if len(lines) != 1 {
		t.Fatalf("%d lines", len(lines))
	}
	object, _ := lines[0]["object"].(string)
	delete(lines[0], "object")
	got, _ := json.Marshal(lines[0])
	expected, _ := json.Marshal(want)
	if string(got) != string(expected) || len(object) != 32 {
		t.Errorf("the line is\n%s and %q, want\n%s", got, object, expected)
	}
}

// Objects compare by their hash, and only under one key.
func TestObjectsCompareByTheirHash(t *testing.T) {
	same, other := event(decision.Stream), event(decision.Stream)
	other.Location.Key = "canary-key2.png"
	lines := audited(t, event(decision.Stream), same, other)
	if lines[0]["object"] != lines[1]["object"] || lines[0]["object"] == lines[2]["object"] {
		t.Errorf("objects %v, %v, %v", lines[0]["object"], lines[1]["object"], lines[2]["object"])
	}
	var out bytes.Buffer
	o := options(never(t))
	o.Key = []byte("another key")
	a := telemetry.NewAudit(&out, o)
	a.Sink(event(decision.Stream))
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), lines[0]["object"].(string)) {
		t.Error("the hash does not depend on the key")
	}
}

func TestWhatTheAuditSaysOfARefusal(t *testing.T) {
	e := event(decision.Refuse)
	e.Refusal = refusal.New(refusal.Unavailable, "app_unavailable", "look at its log").Because(&url.Error{Op: "Get", URL: "http://ls.test/api/tasks/7/?token=canary", Err: errors.New("connection refused")})
	line := audited(t, e)[0]
	if line["kind"] != "refuse" || line["code"] != "app_unavailable" || line["sentence"] != "look at its log" || line["cause"] != "Get http://ls.test: connection refused" {
		t.Errorf("the line is %v", line)
	}
}

// What the application answers is in the application's own log.
func TestWhatIsNotAudited(t *testing.T) {
	if lines := audited(t, event(decision.Pass), event(decision.PassOwn), event(decision.Open)); len(lines) != 0 {
		t.Errorf("a pass is audited: %v", lines)
	}
}

// What the application does there is done under its own key: who had it done is
// told.
func TestAnAdministratorsSideDoorIsAudited(t *testing.T) {
	e := event(decision.Pass)
	e.Door = labelstudio.DoorStorage
	if lines := audited(t, e); len(lines) != 1 || lines[0]["door"] != "storage" || lines[0]["session"] == "" {
		t.Errorf("audited: %v", lines)
	}
}

// What a client writes into its request cannot write lines of its own.
func TestAClientCannotWriteLines(t *testing.T) {
	e := event(decision.Refuse)
	e.RequestID, e.Method = "a\n{\"kind\":\"stream\"}\x1b[2J"+strings.Repeat("x", 500), "G\nET"
	lines := audited(t, e)
	if len(lines) != 1 || len(lines[0]["request_id"].(string)) > 64 || lines[0]["method"] != "G?ET" {
		t.Errorf("the lines are %v", lines)
	}
}

// slow is a disk that takes records when it is told to, and what it was given.
type slow struct {
	bytes.Buffer
	once         sync.Once
	entered, may chan struct{}
	writes       []string
}

func newSlow() *slow { return &slow{entered: make(chan struct{}), may: make(chan struct{})} }

func (s *slow) Write(p []byte) (int, error) {
	s.once.Do(func() { close(s.entered) })
	before := string(p)
	<-s.may
	if string(p) != before {
		return 0, errors.New("what is being written was changed")
	}
	s.writes = append(s.writes, before)
	return s.Buffer.Write(p)
}

// atTheDisk gives a journal whose writer is at the disk, with one record.
func atTheDisk(disk *slow, lost func(int)) *telemetry.Journal {
	a := telemetry.NewAudit(disk, options(lost))
	a.Sink(event(decision.Stream))
	<-disk.entered
	return a
}

// A disk that does not keep up delays no decision; what is lost is counted,
// and the audit itself says where.
func TestWhatIsLostIsTold(t *testing.T) {
	disk, lost := newSlow(), 0
	a := atTheDisk(disk, func(n int) { lost += n })
	for range 10_000 {
		a.Sink(event(decision.Stream)) // returns although nothing is written
	}
	if lost != 10_000-8192 {
		t.Errorf("%d of 10,000 records are lost", lost)
	}
	close(disk.may)
	told := lost
	a.Sink(event(decision.Stream))
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	said := 0
	for line := range strings.Lines(disk.String()) {
		var one struct {
			Kind    string
			Records int
		}
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatal(err)
		}
		if one.Kind == "audit_lost" {
			said += one.Records
		}
	}
	if said < told {
		t.Errorf("the audit says that %d records are missing, and it is %d", said, told)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestADiskThatIsFullIsTold(t *testing.T) {
	var mu sync.Mutex
	lost := 0
	var log bytes.Buffer
	o := options(func(n int) { mu.Lock(); defer mu.Unlock(); lost += n })
	o.Log = slog.New(slog.NewJSONHandler(&log, nil))
	a := telemetry.NewAudit(broken{}, o)
	for range 5 {
		a.Sink(event(decision.Stream))
	}
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if lost != 5 || strings.Count(log.String(), "no space left") != 1 {
		t.Errorf("%d lost, and the log says %q", lost, log.String())
	}
}

// stuck is a disk that never answers until the test is over.
type stuck struct{ until chan struct{} }

func (s stuck) Write(p []byte) (int, error) { <-s.until; return len(p), nil }

func TestCloseDoesNotWaitForEver(t *testing.T) {
	disk := stuck{make(chan struct{})}
	defer close(disk.until)
	a := telemetry.NewAudit(disk, options(never(t)))
	a.Sink(event(decision.Stream))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Close(ctx); err == nil {
		t.Error("closed although a record waits")
	}
}

// recordsOne writes one record to a file, as a process of its own would.
func recordsOne(t *testing.T, path string) {
	t.Helper()
	a, err := telemetry.OpenAudit(path, options(never(t)))
	if err != nil {
		t.Fatal(err)
	}
	a.Sink(event(decision.Stream))
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestTheAuditFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	for range 2 { // appends
		recordsOne(t, path)
	}
	text, err := os.ReadFile(path)
	info, statErr := os.Stat(path)
	if err != nil || statErr != nil || strings.Count(string(text), "\n") != 2 || info.Mode().Perm() != 0o600 {
		t.Errorf("%q with mode %v: %v, %v", text, info.Mode(), err, statErr)
	}
	if _, err := telemetry.OpenAudit(filepath.Join(path, "below"), options(never(t))); err == nil {
		t.Error("a file below a file was opened")
	}
}

func TestMetrics(t *testing.T) {
	m := telemetry.NewMetrics()
	m.Sink(event(decision.Stream))
	m.Sink(event(decision.Stream))
	refused := event(decision.Refuse)
	refused.Refusal = refusal.New(refusal.Forbidden, "no_grant", "canary")
	m.Sink(refused)
	page := event(decision.Page)
	page.Page = "login"
	m.Sink(page)
	m.STSCalled("ok")
	m.STSCalled("AccessDenied")
	m.STSCalled("disagreed")
	m.STSCalled("canary \"}\nevil{")
	m.AppAsked("tasks")
	m.AuditLost(3)
	m.Holds(telemetry.Holdings{State: func() (int, int) { return 4096, 5 }, StateMax: 8192, Sessions: func() int { return 6 }, Waiting: func() int { return 7 }})
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	text, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`rolepass_decisions_total{code="stream",kind="stream"} 2`,
		`rolepass_decisions_total{code="no_grant",kind="refuse"} 1`,
		`rolepass_decisions_total{code="login",kind="page"} 1`,
		`rolepass_decision_seconds_count{kind="stream"} 2`,
		`rolepass_sts_calls_total{outcome="AccessDenied"} 1`,
		`rolepass_sts_calls_total{outcome="ok"} 1`,
		`rolepass_sts_calls_total{outcome="disagreed"} 1`,
		`rolepass_sts_calls_total{outcome="other"} 1`,
		`rolepass_app_questions_total{kind="tasks"} 1`,
		`rolepass_audit_lost_total 3`,
		`rolepass_state_bytes 4096`,
		`rolepass_state_max_bytes 8192`,
		`rolepass_state_evicted_total 5`,
		`rolepass_sessions 6`,
		`rolepass_logins_waiting 7`,
	} {
		if !strings.Contains(string(text), want+"\n") {
			t.Errorf("no line %s", want)
		}
	}
	for _, secret := range []string{"canary", "imaging", "5e551", "lovelace", "r-1"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("the metrics show %s", secret)
		}
	}
}

func BenchmarkSinks(b *testing.B) {
	b.Run("metrics", func(b *testing.B) {
		m, e := telemetry.NewMetrics(), event(decision.Stream)
		b.ReportAllocs()
		for b.Loop() {
			m.Sink(e)
		}
	})
	b.Run("audit", func(b *testing.B) {
		a, e := telemetry.NewAudit(io.Discard, options(func(int) {})), event(decision.Stream)
		b.ReportAllocs()
		for b.Loop() {
			a.Sink(e)
		}
		if err := a.Close(context.Background()); err != nil {
			b.Fatal(err)
		}
	})
}

// Who reads the metrics as often as they can does not keep the list of sessions
// locked for those who sign in.
func TestFewReadTheMetricsAtOnce(t *testing.T) {
	m := telemetry.NewMetrics()
	counting, done := make(chan struct{}), make(chan struct{})
	m.Holds(telemetry.Holdings{
		State: func() (int, int) { return 0, 0 }, Waiting: func() int { return 0 },
		Sessions: func() int { counting <- struct{}{}; <-done; return 0 },
	})
	handler, codes := m.Handler(), make(chan int)
	counted, refused := 0, 0
	for range 20 {
		go func() {
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
			codes <- w.Code
		}()
		select {
		case <-counting:
			counted++
		case code := <-codes:
			if refused++; code != http.StatusServiceUnavailable {
				t.Errorf("answered with %d before anything was counted", code)
			}
		}
	}
	close(done)
	for range counted {
		if code := <-codes; code != http.StatusOK {
			t.Errorf("answered with %d", code)
		}
	}
	if counted < 2 || counted > 5 {
		t.Errorf("of 20 at once %d counted sessions and %d were refused", counted, refused)
	}
}
