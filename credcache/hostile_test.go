package credcache_test

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/state"
)

// STS quotes the values that it does not like, whole or cut. What it quotes of
// an assertion is shown to nobody.
func TestWhatSTSQuotesOfAnAssertionIsNotShown(t *testing.T) {
	assertion := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("<saml:NameID>canary</saml:NameID>", 40)))
	for name, quoted := range map[string]string{
		"whole": assertion, "cut": assertion[:300], "its end": assertion[len(assertion)-200:], "escaped": strings.ReplaceAll(assertion, "=", "%3D"),
	} {
		double := &stsDouble{answers: sayings(saying("ValidationError", "Value '"+quoted+"' at 'sAMLAssertion' failed to satisfy constraint"))}
		o := order()
		o.Encoded = assertion
		e := &credcache.Exchanger{Name: "aws", STS: double, Duration: time.Hour, Called: func(string) {}}
		_, err := e.Exchange(t.Context(), o)
		secrets.Refused(err)
		var ref *refusal.Refusal
		if !errors.As(err, &ref) {
			t.Fatalf("%s: %v", name, err)
		}
		said := ref.Error() + ref.Cause.Error()
		if strings.Contains(said, quoted[20:80]) || !strings.Contains(said, "failed to satisfy constraint") || !strings.Contains(said, o.Role.ARN) {
			t.Errorf("%s: %s", name, said)
		}
	}
}

func TestASessionIsForgottenWhole(t *testing.T) {
	w := newWorld(t, 1<<20)
	ada, bob := w.session(), w.session()
	mine, theirs := credcache.Key{Session: ada, Role: role, Shard: 1}, credcache.Key{Session: bob, Role: role}
	w.puts(mine, "ADA")
	w.puts(theirs, "BOB")
	if err := w.store.Delete(t.Context(), "credentials:"+ada.ID+":1:"+role); err != nil {
		t.Fatal(err)
	}
	w.ForgetSession(ada.ID)
	if w.gets(mine) != "" || w.gets(theirs) != "BOB" {
		t.Error("not these, or others too")
	}
}

// during is a Store that does something while a record is on its way.
type during struct {
	state.Store
	do func()
}

func (d *during) Get(ctx context.Context, name string) ([]byte, error) {
	record, err := d.Store.Get(ctx, name)
	d.do()
	return record, err
}

// A logout that comes while credentials are being read has the last word.
func TestForgottenCredentialsDoNotComeBack(t *testing.T) {
	w := newWorld(t, 1<<20)
	k := credcache.Key{Session: w.session(), Role: role}
	w.puts(k, "ADA")
	store := &during{Store: w.store}
	late := credcache.New(store, w.sealer, 1<<20, w.now)
	store.do = func() {
		store.do = func() {}
		if err := late.Forget(t.Context(), k); err != nil {
			t.Error(err)
		}
	}
	if _, err := late.Get(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	if _, err := late.Get(t.Context(), k); !errors.Is(err, credcache.ErrNone) {
		t.Errorf("they came back: %v", err)
	}
}

var _ credcache.STS = (*sts.Client)(nil)
