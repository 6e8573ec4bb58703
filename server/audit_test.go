package server

import (
	"context"
	"crypto/rand"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/state"
)

// TestAnObjectIsFoundInTheAudit: also after the keys were rotated, and another
// object is not.
func TestAnObjectIsFoundInTheAudit(t *testing.T) {
	idp := newIdP(t, "https://idp.test")
	c := configured(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(idp.Metadata()) })
	s, err := New(t.Context(), c, quiet())
	if err != nil {
		t.Fatal(err)
	}
	lung := presign.Location{Bucket: "imaging", Key: "radiology/lung 1.png"}
	s.audit.Sink(&decision.Event{Kind: decision.Stream, Location: lung})
	if err := s.audit.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := state.NewKey(c.Keys, time.Now(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	audit, err := os.ReadFile(c.Audit)
	if err != nil {
		t.Fatal(err)
	}
	found := func(l presign.Location) (under []bool) {
		all, err := AuditedAs(c, l.URI())
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range all {
			under = append(under, strings.Contains(string(audit), `"object":"`+one.Hash+`"`))
		}
		return under
	}
	if got := found(lung); len(got) != 2 || got[0] || !got[1] {
		t.Errorf("found under the new and the old key: %v", got)
	}
	lung.Key += "x"
	if got := found(lung); got[0] || got[1] {
		t.Error("another object is found")
	}
}
