package credcache_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
	"go.uber.org/goleak"

	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/e2e/canary/scribe"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/session"
	"github.com/rolepass/rolepass/state"
)

// secrets are those of all tests here, and TestMain looks for them in what the
// errors of all tests say.
var secrets = scribe.New()

func TestMain(m *testing.M) { goleak.VerifyTestMain(secrets.After(m)) }

const role = "arn:aws:iam::111122223333:role/radiology"

// world is a Cache with a store below it and a clock that the test drives.
type world struct {
	*credcache.Cache
	t        testing.TB
	store    state.Store
	sealer   *state.Sealer
	sessions *session.Manager
	mu       sync.Mutex
	at       time.Time
}

func (w *world) now() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.at }

func (w *world) passes(d time.Duration) { w.mu.Lock(); defer w.mu.Unlock(); w.at = w.at.Add(d) }

// random is randomness for several goroutines.
func random(seed byte) io.Reader { return &locked{from: rand.NewChaCha8([32]byte{seed})} }

type locked struct {
	mu   sync.Mutex
	from io.Reader
}

func (l *locked) Read(p []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.from.Read(p) }

func newWorld(t testing.TB, bytes int) *world {
	t.Helper()
	w := &world{t: t, at: time.Date(2027, 1, 15, 8, 0, 0, 0, time.UTC)}
	dir := t.TempDir() + "/keys"
	if _, err := state.NewKey(dir, w.at, random(1)); err != nil {
		t.Fatal(err)
	}
	ring, err := state.LoadKeyring(dir)
	if err != nil {
		t.Fatal(err)
	}
	secrets.KeepFiles(t, dir)
	w.sealer = &state.Sealer{Keys: ring, Now: w.now, Rand: random(2)}
	w.store = state.NewMemory(64<<20, w.now)
	w.sessions = &session.Manager{Store: w.store, Sealer: w.sealer, Now: w.now, Rand: random(3), Idle: time.Hour, Absolute: 8 * time.Hour}
	w.Cache = credcache.New(w.store, w.sealer, bytes, w.now)
	return w
}

func (w *world) session() *session.Session {
	w.t.Helper()
	s, _, err := w.sessions.New(time.Time{})
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) puts(k credcache.Key, id string) *presign.Credentials {
	w.t.Helper()
	c := &presign.Credentials{AccessKeyID: id, SecretAccessKey: "canary-secret", SessionToken: presign.Secret(strings.Repeat("t", 1000)), Expires: w.now().Add(time.Hour), STS: "aws"}
	secrets.Keep("a secret access key", c.SecretAccessKey.Reveal())
	secrets.Keep("a session token", c.SessionToken.Reveal())
	secrets.Log.Info("put", "for", k.Role, "what", c)
	if err := w.Put(w.t.Context(), k, c); err != nil {
		w.t.Fatal(err)
	}
	return c
}

// gets gives the access key id under a key; empty if there is none.
func (w *world) gets(k credcache.Key) string {
	w.t.Helper()
	c, err := w.Get(w.t.Context(), k)
	if errors.Is(err, credcache.ErrNone) {
		return ""
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return c.AccessKeyID
}

func TestCredentialsAreOfOneSessionRoleAndShard(t *testing.T) {
	w := newWorld(t, 1<<20)
	ada, bob := w.session(), w.session()
	w.puts(credcache.Key{Session: ada, Role: role, Shard: 1}, "ADA")
	for name, c := range map[string]struct {
		key  credcache.Key
		want string
	}{
		"their own":       {credcache.Key{Session: ada, Role: role, Shard: 1}, "ADA"},
		"another person":  {credcache.Key{Session: bob, Role: role, Shard: 1}, ""},
		"another role":    {credcache.Key{Session: ada, Role: role + "2", Shard: 1}, ""},
		"another shard":   {credcache.Key{Session: ada, Role: role, Shard: 0}, ""},
		"a shifted colon": {credcache.Key{Session: ada, Role: "1:" + role, Shard: 1}, ""},
	} {
		if got := w.gets(c.key); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestCredentialsEnd(t *testing.T) {
	w := newWorld(t, 1<<20)
	k := credcache.Key{Session: w.session(), Role: role}
	w.puts(k, "ADA")
	w.passes(time.Hour - time.Second)
	if w.gets(k) != "ADA" {
		t.Error("they ended early")
	}
	w.passes(time.Second)
	if w.gets(k) != "" {
		t.Error("they go on")
	}
}

func TestForgottenCredentialsAreGone(t *testing.T) {
	w := newWorld(t, 1<<20)
	k := credcache.Key{Session: w.session(), Role: role}
	w.puts(k, "ADA")
	if err := w.Forget(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	if w.gets(k) != "" || credcache.New(w.store, w.sealer, 1<<20, w.now) == nil {
		t.Error("they stay")
	}
}

// What leaves memory comes back from the sealed state, also in another process
// with the same keys.
func TestMemoryIsBoundedAndTheStateKeepsTheRest(t *testing.T) {
	w := newWorld(t, 20_000) // room for a dozen
	var keys []credcache.Key
	for i := range 100 {
		k := credcache.Key{Session: w.session(), Role: role}
		w.puts(k, fmt.Sprint("AKID", i))
		keys = append(keys, k)
	}
	for i, k := range keys {
		if got := w.gets(k); got != fmt.Sprint("AKID", i) {
			t.Fatalf("credentials %d are %q", i, got)
		}
	}
	other := credcache.New(w.store, w.sealer, 20_000, w.now)
	if c, err := other.Get(t.Context(), keys[7]); err != nil || c.AccessKeyID != "AKID7" {
		t.Errorf("another process: %v", err)
	}
}

// A record opens only with the cookie's half: whoever has the state and the
// keys has no credentials.
func TestTheStateAloneOpensNothing(t *testing.T) {
	w := newWorld(t, 1<<20)
	mine := w.session()
	k := credcache.Key{Session: mine, Role: role}
	w.puts(k, "ADA")
	pretender := w.session() // another cookie, made to look like the same session
	pretender.ID = mine.ID
	fresh := credcache.New(w.store, w.sealer, 1<<20, w.now)
	if _, err := fresh.Get(t.Context(), credcache.Key{Session: pretender, Role: role}); !errors.Is(err, credcache.ErrNone) {
		t.Errorf("opened without the cookie: %v", err)
	}
	record, err := w.store.Get(t.Context(), "credentials:"+mine.ID+":0:"+role)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(record), "canary-secret") || strings.Contains(string(record), "ADA") {
		t.Error("the record is not sealed")
	}
}

func TestManyAtOnce(t *testing.T) {
	w := newWorld(t, 50_000)
	s := w.session()
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for n := range 100 {
				k := credcache.Key{Session: s, Role: fmt.Sprint(role, i, n%20)}
				w.puts(k, fmt.Sprint(i, n%20))
				if got := w.gets(k); got != fmt.Sprint(i, n%20) {
					t.Errorf("%d.%d: %q", i, n, got)
				}
			}
		})
	}
	group.Wait()
}

func BenchmarkGet(b *testing.B) {
	w := newWorld(b, 64<<20)
	k := credcache.Key{Session: w.session(), Role: role}
	w.puts(k, "ADA")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Get(b.Context(), k); err != nil {
			b.Fatal(err)
		}
	}
}

// stsDouble answers calls in order.
type stsDouble struct {
	calls   []*sts.AssumeRoleWithSAMLInput
	answers []func(*sts.AssumeRoleWithSAMLOutput) error
}

func (d *stsDouble) AssumeRoleWithSAML(_ context.Context, in *sts.AssumeRoleWithSAMLInput, _ ...func(*sts.Options)) (*sts.AssumeRoleWithSAMLOutput, error) {
	d.calls = append(d.calls, in)
	secrets.Keep("an assertion", *in.SAMLAssertion)
	secrets.Keep("a session token", "canary-token")
	out := &sts.AssumeRoleWithSAMLOutput{
		Subject: aws.String("4711"), Issuer: aws.String("https://idp.test"), Audience: aws.String("https://label.test/acs"),
		AssumedRoleUser: &ststypes.AssumedRoleUser{Arn: aws.String("arn:aws-cn:sts::111122223333:assumed-role/radiology/ada")},
		Credentials: &ststypes.Credentials{AccessKeyId: aws.String("ASIA"), SecretAccessKey: aws.String("canary-secret"),
			SessionToken: aws.String("canary-token"), Expiration: aws.Time(time.Unix(1<<31, 0))},
	}
	return out, d.answers[min(len(d.calls), len(d.answers))-1](out)
}

func order() credcache.Order {
	return credcache.Order{
		Role: saml.Role{ARN: "arn:aws-cn:iam::111122223333:role/team/a/radiology", Provider: "arn:aws-cn:iam::111122223333:saml-provider/corp"}, Encoded: "canaryAssertion==", Policy: `{"Version":"2012-10-17"}`,
		Assertion: &saml.Assertion{Issuer: "https://idp.test", Recipient: "https://label.test/acs",
			Principal:  saml.Principal{NameID: "4711", NameIDFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", SessionName: "ada"},
			Attributes: map[string][]string{"https://aws.amazon.com/SAML/Attributes/SourceIdentity": {"ada-l"}}},
	}
}

func fine(*sts.AssumeRoleWithSAMLOutput) error { return nil }

func saying(code, message string) func(*sts.AssumeRoleWithSAMLOutput) error {
	return func(*sts.AssumeRoleWithSAMLOutput) error {
		return &smithy.GenericAPIError{Code: code, Message: message, Fault: smithy.FaultClient}
	}
}

const tooLong = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."

func TestOneExchange(t *testing.T) {
	for _, c := range []struct {
		name     string
		duration time.Duration
		answers  []func(*sts.AssumeRoleWithSAMLOutput) error
		code     refusal.Code // empty: credentials
		asked    []int32      // seconds, of each call
		outcomes string
	}{
		{"all well", time.Hour, sayings(fine), "", []int32{3600}, "ok"},
		{"a role that allows an hour only", 4 * time.Hour, sayings(saying("ValidationError", tooLong), fine), "", []int32{14400, 3600}, "ValidationError ok"},
		{"a role that does not even allow that", 4 * time.Hour, sayings(saying("ValidationError", tooLong)), "sts_refused", []int32{14400, 3600}, "ValidationError ValidationError"},
		{"an hour that is too long", time.Hour, sayings(saying("ValidationError", tooLong)), "sts_refused", []int32{3600}, "ValidationError"},
		{"another validation error", 4 * time.Hour, sayings(saying("ValidationError", "PolicyArns")), "sts_refused", []int32{14400}, "ValidationError"},
		{"a trust policy that does not fit", time.Hour, sayings(saying("AccessDenied", "Not authorized to perform sts:AssumeRoleWithSAML")), "sts_refused", []int32{3600}, "AccessDenied"},
		{"a service that fails", time.Hour, sayings(func(*sts.AssumeRoleWithSAMLOutput) error {
			return &smithy.GenericAPIError{Code: "InternalFailure", Fault: smithy.FaultServer}
		}), "sts_unavailable", []int32{3600}, "unavailable"},
		{"too many calls", time.Hour, sayings(saying("SlowDown", "")), "sts_throttled", []int32{3600}, "throttled"},
		{"no answer", time.Hour, sayings(func(*sts.AssumeRoleWithSAMLOutput) error {
			return errors.New("post canaryAssertion==: connection refused")
		}), "sts_unavailable", []int32{3600}, "unavailable"},
		{"half an answer", time.Hour, sayings(func(out *sts.AssumeRoleWithSAMLOutput) error { out.Credentials.SessionToken = nil; return nil }), "sts_unavailable", []int32{3600}, "ok"},
		{"no credentials", time.Hour, sayings(func(out *sts.AssumeRoleWithSAMLOutput) error { out.Credentials = nil; return nil }), "sts_unavailable", []int32{3600}, "ok"},
		{"another subject", time.Hour, sayings(func(out *sts.AssumeRoleWithSAMLOutput) error { out.Subject = aws.String("4712"); return nil }), "sts_disagrees", []int32{3600}, "ok disagreed"},
		{"another issuer", time.Hour, sayings(func(out *sts.AssumeRoleWithSAMLOutput) error {
			out.Issuer = aws.String("https://idp.test/")
			return nil
		}), "sts_disagrees", []int32{3600}, "ok disagreed"},
		{"another recipient", time.Hour, sayings(func(out *sts.AssumeRoleWithSAMLOutput) error {
			out.Audience = aws.String("https://signin.aws.amazon.com/saml")
			return nil
		}), "sts_disagrees", []int32{3600}, "ok disagreed"},
		{"another session name", time.Hour, sayings(func(out *sts.AssumeRoleWithSAMLOutput) error {
			out.AssumedRoleUser.Arn = aws.String("arn:aws-cn:sts::111122223333:assumed-role/radiology/Ada")
			return nil
		}), "sts_disagrees", []int32{3600}, "ok disagreed"},
		{"nothing about whom", time.Hour, sayings(func(out *sts.AssumeRoleWithSAMLOutput) error {
			out.Subject, out.Issuer, out.Audience = nil, nil, nil
			return nil
		}), "sts_disagrees", []int32{3600}, "ok disagreed"},
		{"the format too", time.Hour, sayings(func(out *sts.AssumeRoleWithSAMLOutput) error { out.SubjectType = aws.String("persistent"); return nil }), "", []int32{3600}, "ok"},
		{"another format", time.Hour, sayings(func(out *sts.AssumeRoleWithSAMLOutput) error { out.SubjectType = aws.String("transient"); return nil }), "sts_disagrees", []int32{3600}, "ok disagreed"},
		{"a source identity that the assertion has", time.Hour, sayings(func(out *sts.AssumeRoleWithSAMLOutput) error { out.SourceIdentity = aws.String("ada-l"); return nil }), "", []int32{3600}, "ok"},
		{"another source identity", time.Hour, sayings(func(out *sts.AssumeRoleWithSAMLOutput) error { out.SourceIdentity = aws.String("admin"); return nil }), "sts_disagrees", []int32{3600}, "ok disagreed"},
		{"another partition", time.Hour, sayings(func(out *sts.AssumeRoleWithSAMLOutput) error {
			out.AssumedRoleUser.Arn = aws.String("arn:aws:sts::111122223333:assumed-role/radiology/ada")
			return nil
		}), "sts_disagrees", []int32{3600}, "ok disagreed"},
	} {
		double := &stsDouble{answers: c.answers}
		var outcomes []string
		e := &credcache.Exchanger{Name: "aws", STS: double, Duration: c.duration, Called: func(outcome string) { outcomes = append(outcomes, outcome) }}
		got, err := e.Exchange(t.Context(), order())
		secrets.Refused(err)
		secrets.Log.Info("exchanged", "what", got, "for", order())
		var asked []int32
		for _, call := range double.calls {
			asked = append(asked, *call.DurationSeconds)
			if *call.SAMLAssertion != "canaryAssertion==" || *call.Policy != `{"Version":"2012-10-17"}` {
				t.Errorf("%s: asked with another assertion or policy", c.name)
			}
		}
		if fmt.Sprint(asked) != fmt.Sprint(c.asked) || strings.Join(outcomes, " ") != c.outcomes {
			t.Errorf("%s: asked for %v seconds with outcomes %v", c.name, asked, outcomes)
		}
		var ref *refusal.Refusal
		switch {
		case c.code == "" && (err != nil || got.AccessKeyID != "ASIA" || got.STS != "aws"):
			t.Errorf("%s: %v", c.name, err)
		case c.code != "" && (!errors.As(err, &ref) || ref.Code != c.code || got != nil):
			t.Errorf("%s: %v; want %s", c.name, err, c.code)
		}
		if err != nil && strings.Contains(fmt.Sprint(err, errors.Unwrap(err)), "canary") {
			t.Errorf("%s: the error shows a secret: %v, %v", c.name, err, errors.Unwrap(err))
		}
	}
}

func sayings(all ...func(*sts.AssumeRoleWithSAMLOutput) error) []func(*sts.AssumeRoleWithSAMLOutput) error {
	return all
}
