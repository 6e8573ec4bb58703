package decisiontest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/rolepass/rolepass/decision"
)

const account = "arn:aws:iam::111122223333:role/"

// What histories are about: few of everything, so that things meet.
var (
	roles    = []string{account + "radiology", account + "research", account + "visiting"}
	prefixes = []string{"", "radiology/", "radiology/2026/", "radiology/2026/may/", "anonymised/"}
	keys     = []string{"lung.png", "radiology/lung.png", "radiology/2026/lung.png", "radiology/2026/may/lung.png", "anonymised/a.png", "radiology2/x.png"}
	names    = []string{"imaging", "imaging", "imaging", "imaging", "imaging", "foreign", "foreign", "payroll"}
	dests    = []string{"image", "image", "image", "image", "image", "image", "", "empty", "video", "document", "iframe", "script"}
	waits    = []time.Duration{0, time.Second, 3 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 20 * time.Minute, 40 * time.Minute, time.Hour, 3 * time.Hour}
	lives    = []time.Duration{-time.Second, 29 * time.Second, 30 * time.Second, 15 * time.Minute, time.Hour, 12 * time.Hour, 12 * time.Hour}
)

// steps of a history, and how many of them are fetches.
const steps = 16

// History drives a world and the model through the same random story.
type History struct {
	Seed  uint64
	world *World
	model *Model
	rand  *rand.Rand
	told  []string
}

// Begin forgets what was granted and said in the world. Nobody of an earlier
// history asks again.
func Begin(w *World, seed uint64) *History {
	clear(w.tasks)
	return &History{Seed: seed, world: w, model: &Model{Now: w.now, Tasks: map[int64]Task{}}, rand: rand.New(rand.NewPCG(seed, 0))}
}

// Verdicts counts what the fetches of histories came to, so that a test can
// tell a story from silence.
type Verdicts map[string]int

// Run tells the story. The error says where the two disagree.
func (h *History) Run(ctx context.Context, seen Verdicts) error {
	if err := h.grants(); err != nil {
		return h.fails(err)
	}
	for range 3 {
		h.answers()
	}
	if err := h.signsIn(ctx); err != nil {
		return h.fails(err)
	}
	for range steps {
		if err := h.step(ctx, seen); err != nil {
			return h.fails(err)
		}
	}
	return nil
}

func (h *History) fails(err error) error {
	return fmt.Errorf("history %d: %w\n%s", h.Seed, err, strings.Join(h.told, "\n"))
}

func (h *History) tells(format string, args ...any) {
	h.told = append(h.told, fmt.Sprintf(format, args...))
}

func (h *History) step(ctx context.Context, seen Verdicts) error {
	switch h.rand.IntN(14) {
	case 0:
		return h.grants()
	case 1:
		return h.signsIn(ctx)
	case 2:
		return h.signsOut(ctx)
	case 3:
		h.answers()
		return nil
	case 4:
		wait := pick(h.rand, waits)
		h.world.now = h.world.now.Add(wait)
		h.model.Now = h.world.now
		h.tells("%s later", wait)
		return nil
	}
	return h.asks(ctx, seen)
}

// grants replaces all grants by others, of which no two tie.
func (h *History) grants() error {
	var all []Grant
	for range 1 + h.rand.IntN(8) {
		g := Grant{Role: pick(h.rand, roles), Bucket: pick(h.rand, names[:7]), Prefix: pick(h.rand, prefixes), Project: int64(h.rand.IntN(3))}
		if !slices.Contains(all, g) {
			all = append(all, g)
		}
	}
	h.model.Grants = all
	h.tells("grants %+v", all)
	return h.world.Grant(all)
}

func (h *History) signsIn(ctx context.Context) error {
	var has []string
	until := map[string]time.Time{}
	for _, role := range roles {
		if h.rand.IntN(3) > 0 {
			has = append(has, role)
			if h.rand.IntN(8) > 0 { // else STS refused this one
				until[role] = h.world.now.Add(pick(h.rand, lives))
			}
		}
	}
	s, err := h.world.SignIn(ctx, int64(1+h.rand.IntN(2)), until, has...)
	if err != nil {
		return err
	}
	h.model.Sessions = append(h.model.Sessions, s)
	h.tells("session %d: user %d signs in with %v until %v", len(h.model.Sessions), s.User, has, until)
	return nil
}

func (h *History) signsOut(ctx context.Context) error {
	at := h.rand.IntN(len(h.model.Sessions))
	s := h.model.Sessions[at]
	if !h.model.alive(s) {
		return nil
	}
	s.Ended = true
	h.tells("session %d signs out", at+1)
	return h.world.SignOut(ctx, s)
}

// answers changes what the application says about one task.
func (h *History) answers() {
	id := int64(1 + h.rand.IntN(3))
	task := Task{Project: int64(1 + h.rand.IntN(2))}
	for user := int64(1); user <= 2; user++ {
		if h.rand.IntN(4) > 0 {
			task.Theirs = append(task.Theirs, user)
		}
	}
	for _, key := range keys {
		if h.rand.IntN(6) > 0 {
			task.URIs = append(task.URIs, "s3://"+pick(h.rand, names)+"/"+key)
		}
	}
	h.model.Tasks[id], h.world.tasks[id] = task, task
	h.tells("task %d is now %+v", id, task)
}

// asks puts one question to both, and holds the answers against each other.
func (h *History) asks(ctx context.Context, seen Verdicts) error {
	q := Question{Task: int64(1 + h.rand.IntN(4)), Bucket: pick(h.rand, names), Key: pick(h.rand, keys), Dest: pick(h.rand, dests), Foreign: h.rand.IntN(16) == 0, Method: "GET"}
	if at := len(h.model.Sessions) - h.rand.IntN(min(3, len(h.model.Sessions))); h.rand.IntN(16) > 0 {
		q.Who = h.model.Sessions[at-1]
		h.tells("session %d asks for %+v", at, q.about())
	} else {
		h.tells("nobody asks for %+v", q.about())
	}
	want := h.model.Decide(q)
	got, err := h.world.verdict(ctx, q)
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("the decision is %+v, and the reference says %+v", got, want)
	}
	seen[want.Code]++
	switch h.rand.IntN(4) {
	case 0:
		return h.fewer(ctx, q, got)
	case 1:
		return h.more(ctx, q)
	}
	return nil
}

func (q Question) about() string {
	return fmt.Sprintf("task %d s3://%s/%s (dest %q, foreign %v)", q.Task, q.Bucket, q.Key, q.Dest, q.Foreign)
}

// verdict is the real decision, as the model would say it.
func (w *World) verdict(ctx context.Context, q Question) (Verdict, error) {
	d := w.Decide(ctx, q.Request())
	v := Verdict{Code: string(d.Code), Role: w.Last.Role}
	if allowed := d.Kind == decision.Stream; allowed != v.Yes() || allowed != (d.Signed.Target() != "") {
		return v, fmt.Errorf("a decision that contradicts itself: %v %s", d.Kind, d.Code)
	}
	if v.Yes() && !strings.HasPrefix(d.Signed.Target(), "/"+q.Bucket+"/"+q.Key+"?") {
		return v, fmt.Errorf("what is signed is not what was asked for: %.60s", d.Signed.Target())
	}
	return v, nil
}

// fewer takes one grant away: that never opens what was closed. Credentials are
// left out of it: the grant that counts may be of a role whose credentials have
// ended, and without it the next one counts.
func (h *History) fewer(ctx context.Context, q Question, before Verdict) error {
	if before.Yes() || before.Code == "credentials_gone" || before.Code == "not_signed" || len(h.model.Grants) == 0 {
		return nil
	}
	all := h.model.Grants
	at := h.rand.IntN(len(all))
	if err := h.world.Grant(slices.Delete(slices.Clone(all), at, at+1)); err != nil {
		return err
	}
	after, err := h.world.verdict(ctx, q)
	if err != nil {
		return err
	}
	if after.Yes() {
		return fmt.Errorf("without grant %d the answer to %s is yes", at+1, before.Code)
	}
	return h.world.Grant(all)
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }
