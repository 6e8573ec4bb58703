package e2e_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rolepass/rolepass/e2e/stack"
)

var observe = sync.OnceValues(func() (*stack.Observed, error) {
	s, err := start()
	if err != nil {
		return nil, err
	}
	ctx, cancel := startContext()
	defer cancel()
	return s.Observe(ctx, os.Getenv("ROLEPASS_SAML_PYTHON"))
})

// observed gives the application that is itself the service provider, with
// Rolepass before it.
func observed(t *testing.T) *stack.Observed {
	t.Helper()
	running(t)
	o, err := observe()
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// visitsObserved gives a new visitor of that application.
func visitsObserved(t *testing.T) *visitor {
	o := observed(t)
	v := visits(t)
	v.demo.Public = o.Public
	v.demo.Logs = map[string]string{"audit": o.Audit}
	return v
}

// provesTo goes to the application's login and comes back with the form for
// its consumer service.
func (v *visitor) provesTo(o *stack.Observed, name string) form {
	v.t.Helper()
	return v.proves(v.opens(o.Login), name)
}

// One POST, two readers: the application signs the person in, and Rolepass
// signs their objects, each from the same bytes.
func TestBothReadersAcceptOneAssertion(t *testing.T) {
	o := observed(t)
	for name, groups := range map[string][]string{"radiologist": {"Annotators", "Radiology"}, "researcher": {"Annotators", "Research"}} {
		v := visitsObserved(t)
		v.mustBe(v.asks("GET", v.demo.Public+"/", nil, asPage...), 200) // the application's own page, without a login
		sent := v.provesTo(o, name)
		asked := len(stsSaw(t))
		v.mustBe(v.sends(sent, "cross-site"), http.StatusFound)
		if calls := len(stsSaw(t)) - asked; calls != 1 {
			t.Errorf("%s: STS was asked %d times", name, calls)
		}
		body := sha256.Sum256([]byte(sent.values.Encode()))
		if got := lastPost(t, o); got != hex.EncodeToString(body[:]) {
			t.Errorf("%s: the application did not get the POST byte for byte", name)
		}
		var me struct {
			Email  string
			Groups []string
		}
		who := v.mustBe(v.asks("GET", v.demo.Public+"/api/current-user/whoami", nil, asScript...), 200)
		if err := json.Unmarshal(who.body, &me); err != nil || me.Email != v.account(name).Email || !slices.Equal(me.Groups, groups) {
			t.Errorf("the application takes %s for %+v (%v)", name, me, err)
		}
		for _, project := range v.demo.Projects {
			for _, task := range project.Tasks[:min(2, len(project.Tasks))] {
				want := http.StatusForbidden
				if slices.Contains(task.May, name) {
					want = http.StatusOK
				}
				v.mustBe(v.fetches(task.ID, task.URI), want)
			}
		}
		if name == "radiologist" { // whose grant holds in one workspace
			v.refusedAs(v.fetches(stack.TaskElsewhere, stack.RadiologysElsewhere), "no_grant_here")
		}
		v.opens(v.demo.Public + "/logout")
		task := readable(v.project("Radiology"), "radiologist")[0]
		v.mustBe(v.fetches(task.ID, task.URI), http.StatusUnauthorized)
	}
	nothingFetched(t, o)
}

// The application refuses an answer to a login that this browser did not
// start. Rolepass cannot know that, so what it read is worth nothing.
func TestAnAssertionThatTheApplicationRefusesSignsNothing(t *testing.T) {
	o := observed(t)
	task := readable(visits(t).project("Radiology"), "radiologist")[0]
	stolen := visitsObserved(t).provesTo(o, "radiologist")
	v := visitsObserved(t)
	v.mustBe(v.sends(stolen, "cross-site"), http.StatusForbidden)
	v.refusedAs(v.fetches(task.ID, task.URI), "app_signed_out")

	// And one that was used already begins nothing here either.
	again := visitsObserved(t)
	again.mustBe(again.sends(stolen, "cross-site"), http.StatusForbidden)
	again.mustBe(again.fetches(task.ID, task.URI), http.StatusUnauthorized)
}

// Somebody's page posts the attacker's assertion from the victim's browser: the
// application goes on knowing the victim, and nothing is signed for either.
func TestALoginThatSomebodyElseStartedSignsNothing(t *testing.T) {
	o := observed(t)
	victim := visitsObserved(t)
	victim.mustBe(victim.sends(victim.provesTo(o, "researcher"), "cross-site"), http.StatusFound)
	own := readable(victim.project("Research"), "researcher")[0]
	victim.mustBe(victim.fetches(own.ID, own.URI), http.StatusOK)

	attackers := visitsObserved(t).provesTo(o, "radiologist")
	victim.mustBe(victim.sends(attackers, "cross-site"), http.StatusForbidden)
	signed := len(s3Saw(t))
	theirs := readable(victim.project("Radiology"), "radiologist")[0]
	victim.refusedAs(victim.fetches(theirs.ID, theirs.URI), "app_other_person")
	// The session ended with that: the two logins were two people's.
	victim.mustBe(victim.fetches(theirs.ID, theirs.URI), http.StatusUnauthorized)
	victim.mustBe(victim.fetches(own.ID, own.URI), http.StatusUnauthorized)
	if more := len(s3Saw(t)) - signed; more != 0 {
		t.Errorf("S3 was asked %d times", more)
	}
	// Signing in again puts it right; the IdP knows the victim still.
	victim.mustBe(victim.sends(victim.form(victim.opens(o.Login)), "cross-site"), http.StatusFound)
	victim.mustBe(victim.fetches(own.ID, own.URI), http.StatusOK)
}

// Rolepass has no login of its own there.
func TestTheObserverHasNoLoginOfItsOwn(t *testing.T) {
	v := visitsObserved(t)
	for _, path := range []string{"/rolepass/login", "/rolepass/saml/acs", "/rolepass/saml/metadata"} {
		if got := v.asks("GET", v.demo.Public+path, nil, asPage...); got.StatusCode/100 != 4 {
			t.Errorf("%s answers %s", path, got.Status)
		}
	}
}

// lastPost is the hash of the last POST's body at the application.
func lastPost(t *testing.T, o *stack.Observed) (sum string) {
	t.Helper()
	for line := range bytes.Lines(enterpriseSaw(t, o)) {
		var said struct{ Method, SHA256 string }
		if err := json.Unmarshal(line, &said); err != nil {
			t.Fatal(err)
		}
		if said.Method == "POST" {
			sum = said.SHA256
		}
	}
	return sum
}

// nothingFetched fails if a data fetch, or a cookie's or header's name of ours,
// came to the application.
func nothingFetched(t *testing.T, o *stack.Observed) {
	t.Helper()
	saw := string(enterpriseSaw(t, o))
	for _, bad := range []string{"/resolve", "/presign", "__Host-rolepass", `"authorization"`, `"x-api-key"`} {
		if strings.Contains(saw, bad) {
			t.Errorf("the application saw %s", bad)
		}
	}
}

func enterpriseSaw(t *testing.T, o *stack.Observed) []byte {
	t.Helper()
	text, err := os.ReadFile(o.Log)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
