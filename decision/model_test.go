package decision_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rolepass/rolepass/decision/decisiontest"
)

// histories is how many are told; ROLEPASS_HISTORIES tells more, and
// ROLEPASS_SEED the same again.
const histories = 3000

// inOneWorld is how many are told in one world, one after the other: what it
// remembers of the earlier ones must not matter.
const inOneWorld = 250

// The decision is the reference's, whatever happened before; taking a grant
// away opens nothing; and headers that a client adds change nothing, except to
// refuse.
func TestTheDecisionIsTheReferences(t *testing.T) {
	count, seed := number(t, "ROLEPASS_HISTORIES", histories), number(t, "ROLEPASS_SEED", rand.Uint64N(1<<40))
	began := time.Now()
	counted := make(chan decisiontest.Verdicts, count/inOneWorld+1)
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(runtime.GOMAXPROCS(0))
	for first := uint64(0); first < count; first += inOneWorld {
		group.Go(func() error {
			seen := decisiontest.Verdicts{}
			defer func() { counted <- seen }()
			return tell(ctx, seed+first, min(inOneWorld, count-first), seen)
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatalf("ROLEPASS_SEED=%d: %v", seed, err)
	}
	close(counted)
	total := decisiontest.Verdicts{}
	for seen := range counted {
		for code, n := range seen {
			total[code] += n
		}
	}
	t.Logf("%d histories from seed %d in %s came to %v", count, seed, time.Since(began).Round(time.Second), total)
	for _, code := range []string{"stream", "no_session", "no_grant", "no_grant_here", "app_not_theirs", "not_in_task", "credentials_gone", "not_signed", "bucket_unknown", "fetch_destination", "cross_origin"} {
		if total[code] == 0 {
			t.Errorf("no history came to %s: they prove too little", code)
		}
	}
}

// tell tells some histories in one world.
func tell(ctx context.Context, seed, count uint64, seen decisiontest.Verdicts) error {
	w, err := decisiontest.NewWorld(time.Date(2027, 1, 15, 8, 0, 0, 0, time.UTC))
	if err != nil {
		return err
	}
	for n := range count {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := decisiontest.Begin(w, seed+n).Run(ctx, seen); err != nil {
			return err
		}
	}
	return nil
}

func number(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", name, err))
	}
	return n
}
