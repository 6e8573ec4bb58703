package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/e2e/stack"
)

// way is one of the ways to stand in the login, with what a person does in it.
type way struct {
	t    *testing.T
	name string
	// visits opens a browser of its own before the application.
	visits func(*testing.T) *visitor
	// enters does what it takes until an object shows, once the identity
	// provider has been asked; page is where the browser is sent at first.
	enters func(v *visitor, page answer, name string)
	// proves says that the identity provider asks; open is where a login begins.
	open func(v *visitor) answer
	// renames gives the application's account another address.
	renames func(t *testing.T, id int64, from, to string)
	// removes and deactivates are what an administrator of the application does.
	removes, deactivates func(t *testing.T, id int64, email string)
	// own says that the application keeps people by their address.
	own bool
}

// somebody enrols a person of this test at the identity provider, with the role
// of an account of the demonstration's.
func (w *way) somebody(t *testing.T, name, as string) stack.Account {
	t.Helper()
	full := name + "-" + w.name
	a := stack.Account{Name: full, Password: "demo-" + full, Email: full + "@matrix.example", Roles: visits(t).account(as).Roles}
	running(t).Enrols(a)
	enrolled[full] = a
	return a
}

// enrolled are the accounts beside the demonstration's.
var enrolled = map[string]stack.Account{}

// appsPerson is whom the application shows.
type appsPerson struct {
	ID    int64
	Email string
}

func (v *visitor) shownAs() appsPerson {
	v.t.Helper()
	var who appsPerson
	got := v.mustBe(v.asks("GET", v.demo.Public+"/api/current-user/whoami", nil, asScript...), http.StatusOK)
	if err := json.Unmarshal(got.body, &who); err != nil {
		v.t.Fatal(err)
	}
	return who
}

// radiologys and researchs give tasks of which nobody has asked before in this
// process, so that no answer about them is kept.
func (v *visitor) radiologys() stack.Task { return v.fresh("Radiology", "radiologist") }
func (v *visitor) researchs() stack.Task  { return v.fresh("Research", "researcher") }

var taken = map[string]int{}

func (v *visitor) fresh(project, account string) stack.Task {
	v.t.Helper()
	all := readable(v.project(project), account)
	taken[project]++
	return all[taken[project]%len(all)]
}

// readsAs fetches an object, and says by whose role S3 says it was read.
func (v *visitor) readsAs(task stack.Task, role, session string) {
	v.t.Helper()
	t, ok := v.t.(*testing.T)
	if !ok {
		panic("no test")
	}
	before := len(s3Saw(t))
	v.mustBe(v.fetches(task.ID, task.URI), http.StatusOK)
	seen := s3Saw(t)[before:]
	if len(seen) != 1 {
		t.Fatalf("S3 saw %d requests", len(seen))
	}
	for _, exchange := range stsSaw(t) {
		if exchange.AccessKeyID == seen[0].AccessKeyID {
			if !strings.HasSuffix(exchange.Role, ":role/"+role) || exchange.SessionName != session {
				t.Errorf("the object was read by %s as %s, not by %s as %s", exchange.Role, exchange.SessionName, role, session)
			}
			return
		}
	}
	t.Error("the object was read by nobody whom STS knows")
}

// nothing fails if any of these statuses' fetches gives an object, or comes to S3.
func (v *visitor) nothing(task stack.Task, statuses ...int) {
	v.t.Helper()
	t, ok := v.t.(*testing.T)
	if !ok {
		panic("no test")
	}
	before := len(s3Saw(t))
	if got := v.fetches(task.ID, task.URI); !slices.Contains(statuses, got.StatusCode) {
		t.Errorf("the fetch answers %s, want one of %v: %.300s", got.Status, statuses, got.body)
	}
	if more := len(s3Saw(t)) - before; more != 0 {
		t.Errorf("S3 was asked %d times", more)
	}
}

// elsewhere is a browser of somebody who has copied this one's cookies.
func (v *visitor) elsewhere(w *way) *visitor {
	v.t.Helper()
	thief := w.visits(v.t.(*testing.T))
	thief.client.Jar.SetCookies(mustParse(v.demo.Public), v.client.Jar.Cookies(mustParse(v.demo.Public)))
	return thief
}

// enters goes the whole way in.
func (w *way) signsIn(v *visitor, name string) {
	v.t.Helper()
	w.enters(v, w.open(v), name)
}

// asksAgain says that a page is the identity provider's, and asks for a password.
func asksAgain(page answer) bool { return strings.Contains(string(page.body), `name="password"`) }

func (w *way) stories(t *testing.T) {
	t.Run("first login", w.firstLogin)
	t.Run("return", w.returns)
	t.Run("other account", w.otherAccount)
	t.Run("other account on top", w.otherAccountOnTop)
	t.Run("removed user", w.removedUser)
	if w.deactivates != nil {
		t.Run("deactivated user", w.deactivatedUser)
	}
	t.Run("renamed e-mail", w.renamedEMail)
	t.Run("logout", w.logout)
}

// Who signs in for the first time is who the application shows, and reads what
// their role reads, under that role and their own name.
func (w *way) firstLogin(t *testing.T) {
	ada := w.somebody(t, "ada", "radiologist")
	v := w.visits(t)
	v.nothing(v.radiologys(), http.StatusUnauthorized)
	w.signsIn(v, ada.Name)
	if who := v.shownAs(); who.Email != ada.Email || who.ID == 1 {
		t.Errorf("the application shows %+v", who)
	}
	v.readsAs(v.radiologys(), "radiology", ada.Email)
	v.nothing(v.researchs(), http.StatusForbidden)
}

// Who comes back, and is still known to the identity provider, is not asked, and
// has the account that they had.
func (w *way) returns(t *testing.T) {
	ada := w.somebody(t, "back", "radiologist")
	v := w.visits(t)
	w.signsIn(v, ada.Name)
	first := v.shownAs()
	v.client.Jar.SetCookies(mustParse(v.demo.Public), []*http.Cookie{{Name: "__Host-rolepass", Path: "/", MaxAge: -1, Secure: true}})
	v.nothing(v.radiologys(), http.StatusUnauthorized)
	page := w.open(v)
	if asksAgain(page) {
		t.Fatal("the identity provider asks for the password again")
	}
	v.sends(v.form(page), "cross-site")
	if again := v.shownAs(); again != first {
		t.Errorf("the application shows %+v, before %+v", again, first)
	}
	v.readsAs(v.radiologys(), "radiology", ada.Email)
}

// Who signs in after somebody else signed out is themselves, and gets nothing of
// the one before; nor does the one before, with cookies that they kept.
func (w *way) otherAccount(t *testing.T) {
	ada, bob := w.somebody(t, "first", "radiologist"), w.somebody(t, "second", "researcher")
	v := w.visits(t)
	w.signsIn(v, ada.Name)
	task := v.radiologys()
	v.readsAs(task, "radiology", ada.Email)
	kept := v.elsewhere(w)
	v.opens(v.demo.Public + "/logout")
	if w.name == "observe" {
		v.isUnknownAtTheIdP() // the application ends no session there
	}
	w.signsIn(v, bob.Name)
	w.areTwo(v, kept, bob, task)
}

// Who signs in while somebody else is signed in takes the browser over.
func (w *way) otherAccountOnTop(t *testing.T) {
	ada, bob := w.somebody(t, "below", "radiologist"), w.somebody(t, "above", "researcher")
	v := w.visits(t)
	w.signsIn(v, ada.Name)
	task := v.radiologys()
	v.readsAs(task, "radiology", ada.Email)
	kept := v.elsewhere(w)
	v.isUnknownAtTheIdP()
	page := w.openAnew(v)
	if !asksAgain(page) {
		t.Fatalf("the identity provider does not ask: %s", page.Status)
	}
	if w.name == "own" {
		// Label Studio still knows the one before, and so nothing is signed.
		v.mustBe(v.sends(v.proves(page, bob.Name), "cross-site"), http.StatusSeeOther)
		v.isRefused(v.researchs(), "app_other_person")
		v.isRefused(task, "no_grant")
		v.opens(v.demo.Public + "/logout")
		page = w.open(v)
	}
	w.enters(v, page, bob.Name)
	if w.name == "observe" {
		kept = nil // the application's own session lives on where it was copied to, and ours with it
	}
	w.areTwo(v, kept, bob, task)
}

// isUnknownAtTheIdP ends the session that the browser has there.
func (v *visitor) isUnknownAtTheIdP() {
	v.client.Jar.SetCookies(mustParse(v.demo.IdP), []*http.Cookie{{Name: "idp_session", Path: "/", MaxAge: -1}})
}

// openAnew begins a login though somebody is signed in.
func (w *way) openAnew(v *visitor) answer {
	if w.name == "observe" {
		return w.open(v)
	}
	return v.opens(v.demo.Public + "/rolepass/login")
}

// areTwo says that a browser is bob's now, and that what was kept of the one
// before opens nothing.
func (w *way) areTwo(v, kept *visitor, bob stack.Account, before stack.Task) {
	v.t.Helper()
	if who := v.shownAs(); who.Email != bob.Email {
		v.t.Errorf("the application shows %+v", who)
	}
	v.nothing(before, http.StatusForbidden)
	v.readsAs(v.researchs(), "research", bob.Email)
	if kept != nil {
		kept.nothing(before, http.StatusUnauthorized)
	}
}

// Whom an administrator of the application removed fetches nothing more, with
// the session that they have or by a new login, and is told so.
func (w *way) removedUser(t *testing.T) { w.leaves(t, w.removes, "app_account_removed") }

// The same for whom they deactivated.
func (w *way) deactivatedUser(t *testing.T) {
	w.leaves(t, w.deactivates, "app_account_inactive")
}

func (w *way) leaves(t *testing.T, does func(*testing.T, int64, string), code string) {
	ada := w.somebody(t, strings.TrimPrefix(code, "app_account_"), "radiologist")
	v := w.visits(t)
	w.signsIn(v, ada.Name)
	v.readsAs(v.radiologys(), "radiology", ada.Email)
	does(t, v.shownAs().ID, ada.Email)
	v.nothing(v.researchs(), http.StatusUnauthorized, http.StatusForbidden) // another role's, as before
	v.nothing(v.unasked(), http.StatusUnauthorized, http.StatusForbidden, http.StatusServiceUnavailable)

	again := w.visits(t)
	if w.own {
		w.comesToNothing(again, ada)
		return
	}
	page := v.mustBe(v.asks("GET", v.demo.Public+"/projects/", nil, asPage...), http.StatusForbidden)
	if !strings.Contains(string(page.body), "account in the application was") && !strings.Contains(string(page.body), "does not open your account") {
		t.Errorf("a page that they open says %.1500s", page.body)
	}
	said := again.sends(again.proves(w.open(again), ada.Name), "cross-site")
	again.mustBe(said, http.StatusForbidden)
	again.audited(said, code)
	if !strings.Contains(string(said.body), "Your account in the application was removed or deactivated") || !strings.Contains(string(said.body), "the demo&#39;s owner") {
		t.Errorf("the page says %.1500s", said.body)
	}
	again.nothing(again.radiologys(), http.StatusUnauthorized)
}

// unasked is a task of Radiology on a page of tasks that nobody has asked for.
func (v *visitor) unasked() stack.Task {
	all := readable(v.project("Radiology"), "radiologist")
	return all[len(all)-1]
}

// comesToNothing signs in where the application has its own say: the assertion
// is taken, and nothing is signed for it.
func (w *way) comesToNothing(v *visitor, a stack.Account) {
	v.t.Helper()
	v.sends(v.proves(w.open(v), a.Name), "cross-site")
	v.nothing(v.radiologys(), http.StatusForbidden, http.StatusUnauthorized)
	if w.name == "own" {
		v.tries("/user/login/", a.Name)
		v.nothing(v.radiologys(), http.StatusForbidden, http.StatusUnauthorized)
	}
}

// To whom the identity provider gives another address stays who they are where
// Rolepass has made the account, and reads nothing until the application names
// the same person where the application has.
func (w *way) renamedEMail(t *testing.T) {
	ada := w.somebody(t, "maiden", "radiologist")
	v := w.visits(t)
	w.signsIn(v, ada.Name)
	first := v.shownAs()
	married := ada
	married.Email = "married-" + ada.Email
	running(t).Enrols(married)
	if w.own {
		w.renamedInTwo(t, ada, married, first)
		return
	}
	again := w.visits(t)
	w.signsIn(again, ada.Name)
	if who := again.shownAs(); who != first {
		t.Errorf("the application shows %+v, before %+v", who, first)
	}
	again.readsAs(again.radiologys(), "radiology", married.Email)

	// Whoever has the old address now is somebody else.
	heir := w.somebody(t, "heir", "radiologist")
	heir.Email = ada.Email
	running(t).Enrols(heir)
	third := w.visits(t)
	said := third.mustBe(third.sends(third.proves(w.open(third), heir.Name), "cross-site"), http.StatusForbidden)
	third.audited(said, "app_account_not_bound")
	third.nothing(third.radiologys(), http.StatusUnauthorized)
}

// renamedInTwo is that where both systems keep an address.
func (w *way) renamedInTwo(t *testing.T, before, after stack.Account, who appsPerson) {
	if w.name == "observe" {
		// The application goes on knowing them under the old address.
		w.renames(t, who.ID, after.Email, before.Email)
	}
	v := w.visits(t)
	w.enters(v, w.open(v), before.Name)
	v.isRefused(v.radiologys(), "app_other_person")
	w.renames(t, who.ID, before.Email, after.Email)
	again := w.visits(t)
	enrolled[after.Name] = after
	w.enters(again, w.open(again), after.Name)
	if now := again.shownAs(); now.Email != after.Email {
		t.Errorf("the application shows %+v", now)
	}
	again.readsAs(again.radiologys(), "radiology", after.Email)
}

// Who signs out is signed out of both, also for whoever kept the cookies, and
// the next login asks for the password.
func (w *way) logout(t *testing.T) {
	ada := w.somebody(t, "leaver", "radiologist")
	v := w.visits(t)
	w.signsIn(v, ada.Name)
	task := v.radiologys()
	v.readsAs(task, "radiology", ada.Email)
	kept := v.elsewhere(w)
	out := v.asks("GET", v.demo.Public+"/logout", nil, asPage...)
	if out.Header.Get("Clear-Site-Data") != `"cache", "storage"` {
		t.Errorf("Clear-Site-Data is %q", out.Header.Get("Clear-Site-Data"))
	}
	for _, left := range []*visitor{v, kept} {
		left.nothing(task, http.StatusUnauthorized)
		left.nothing(left.radiologys(), http.StatusUnauthorized)
	}
	if got := v.asks("GET", v.demo.Public+"/api/current-user/whoami", nil, asScript...); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("the application answers %s: %.200s", got.Status, got.body)
	}
	if w.name == "observe" {
		return // whether the next login asks is the application's to say
	}
	if !asksAgain(w.open(v)) {
		t.Error("the next login does not ask for the password")
	}
}

// isRefused fails unless the fetch of an object is refused with this code, and
// S3 is not asked.
func (v *visitor) isRefused(task stack.Task, code string) {
	v.t.Helper()
	t := v.t.(*testing.T)
	before := len(s3Saw(t))
	v.audited(v.mustBe(v.fetches(task.ID, task.URI), http.StatusForbidden), code)
	if more := len(s3Saw(t)) - before; more != 0 {
		t.Errorf("S3 was asked %d times", more)
	}
}

// requestID is on every page that says no, and in every JSON document.
var requestID = regexp.MustCompile(`(?:<p class="id"><code>|"request_id":")([^<"]+)`)

// audited waits until the audit has a refusal, with this code.
func (v *visitor) audited(refused answer, code string) {
	v.t.Helper()
	id := requestID.FindSubmatch(refused.body)
	if id == nil {
		v.t.Fatalf("a refusal without a request id: %.300s", refused.body)
	}
	deadline := time.After(logPatience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		text, err := os.ReadFile(v.demo.Logs["audit"])
		if err != nil {
			v.t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			var record struct {
				ID   string `json:"request_id"`
				Code string `json:"code"`
			}
			if json.Unmarshal(line, &record) == nil && record.ID == string(id[1]) {
				if record.Code != code {
					v.t.Errorf("refused as %s, want %s", record.Code, code)
				}
				return
			}
		}
		select {
		case <-tick.C:
		case <-deadline:
			v.t.Fatalf("the audit has no record of %s", id[1])
		}
	}
}

// bearers is the way in which Rolepass signs people into Label Studio.
func bearers(t *testing.T, name string) *way {
	w := &way{t: t, name: name, visits: func(t *testing.T) *visitor { return visits(t) }}
	w.open = func(v *visitor) answer { return v.opens(v.demo.Public + "/") }
	w.enters = func(v *visitor, page answer, name string) {
		v.t.Helper()
		v.mustBe(v.sends(v.proves(page, name), "cross-site"), http.StatusSeeOther)
	}
	w.removes = func(t *testing.T, id int64, _ string) {
		if got := past(t, 1, "DELETE", fmt.Sprintf("/api/organizations/1/memberships/%d/", id), asJSON, ""); got.StatusCode != http.StatusNoContent {
			t.Fatalf("removing answers %s: %.300s", got.Status, got.body)
		}
	}
	w.deactivates = func(t *testing.T, id int64, _ string) {
		if err := running(t).Database(t.Context(), "UPDATE htx_user SET is_active = 0 WHERE id = ?", id); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// The stories where Rolepass writes Label Studio's bearers.
func TestSignedInByBearer(t *testing.T) {
	running(t)
	bearers(t, "bearer").stories(t)
}

// The stories where Rolepass has no key of Label Studio's, and takes each
// person's token.
func TestSignedInByToken(t *testing.T) {
	if err := running(t).WithTokens(t.Context(), func() { bearers(t, "token").stories(t) }); err != nil {
		t.Fatal(err)
	}
}

// The stories where Label Studio keeps its own login.
func TestSignedInOnOnesOwn(t *testing.T) {
	s := running(t)
	var invite struct{ Token string }
	if err := json.Unmarshal(past(t, 1, "GET", "/api/invite", asJSON, "").body, &invite); err != nil {
		t.Fatal(err)
	}
	w := bearers(t, "own")
	w.own = true
	signedUp := map[string]bool{}
	w.enters = func(v *visitor, page answer, name string) {
		v.t.Helper()
		v.mustBe(v.sends(v.proves(page, name), "cross-site"), http.StatusSeeOther)
		if signedUp[name] {
			v.logsIn(name)
			return
		}
		signedUp[name] = true
		v.signsUp(invite.Token, name)
	}
	w.renames = func(t *testing.T, id int64, from, to string) {
		if err := s.Database(t.Context(), "UPDATE htx_user SET email = '"+to+"' WHERE id = ?", id); err != nil {
			t.Fatal(err)
		}
	}
	config := map[string]any{"grants": s.GrantsByNumber(), "label_studio": map[string]any{"url": s.Demo.LabelStudio, "sign_in": "own"}}
	if err := s.WithConfig(t.Context(), config, func() { w.stories(t) }); err != nil {
		t.Fatal(err)
	}
}

// The stories where the application signs people in by SAML, and Rolepass reads
// along.
func TestSignedInByTheApplication(t *testing.T) {
	o := observed(t)
	w := &way{t: t, name: "observe", own: true, visits: func(t *testing.T) *visitor { return visitsObserved(t) }}
	w.open = func(v *visitor) answer { return v.opens(o.Login) }
	w.enters = func(v *visitor, page answer, name string) {
		v.t.Helper()
		v.mustBe(v.sends(v.proves(page, name), "cross-site"), http.StatusFound)
	}
	knows := func(t *testing.T, removed []string, as map[string]string) {
		t.Helper()
		if err := o.Knows(removed, as); err != nil {
			t.Fatal(err)
		}
	}
	w.removes = func(t *testing.T, _ int64, email string) { knows(t, []string{email}, nil) }
	w.renames = func(t *testing.T, _ int64, from, to string) { knows(t, nil, map[string]string{from: to}) }
	t.Cleanup(func() { knows(t, nil, nil) })
	w.stories(t)
	nothingFetched(t, o)
}

// An account that is there already, made over Label Studio's API, is refused to
// the person of its address, until the operator says that such accounts are
// adopted. What a member writes on somebody else's account, by which Rolepass
// knows whose it is, does not pass.
func TestAnExistingAccountIsAdopted(t *testing.T) {
	s := running(t)
	w := bearers(t, "adopted")
	ada, eve := w.somebody(t, "ada", "radiologist"), w.somebody(t, "eve", "radiologist")
	var made struct{ ID int64 }
	if err := json.Unmarshal(past(t, 1, "POST", "/api/users/", asJSON, fmt.Sprintf(`{"email": %q, "username": "ada"}`, ada.Email)).body, &made); err != nil || made.ID == 0 {
		t.Fatalf("no account was made: %v", err)
	}
	v := visits(t)
	said := v.mustBe(v.sends(v.proves(w.open(v), ada.Name), "cross-site"), http.StatusForbidden)
	v.audited(said, "app_account_not_bound")
	if !strings.Contains(string(said.body), "The application has an account under your e-mail address") {
		t.Errorf("the page says %.1000s", said.body)
	}
	err := s.WithLabelStudio(t.Context(), map[string]any{"adopt": "email"}, func() {
		v := visits(t)
		w.signsIn(v, ada.Name)
		if who := v.shownAs(); who.ID != made.ID || who.Email != ada.Email {
			t.Errorf("the application shows %+v, not user %d", who, made.ID)
		}
		v.readsAs(v.radiologys(), "radiology", ada.Email)
	})
	if err != nil {
		t.Fatal(err)
	}
	v = visits(t)
	w.signsIn(v, ada.Name)
	if who := v.shownAs(); who.ID != made.ID {
		t.Errorf("later the application shows %+v, not user %d", who, made.ID)
	}

	other := visits(t)
	w.signsIn(other, eve.Name)
	wipe := func(user int64) answer {
		return other.asks("PATCH", fmt.Sprintf("%s/api/users/%d/", other.demo.Public, user), strings.NewReader(`{"username": "eve"}`), with(asScript, "Content-Type: application/json", "Origin: "+other.demo.Public)...)
	}
	other.audited(other.mustBe(wipe(made.ID), http.StatusForbidden), "side_door")
	other.mustBe(wipe(other.shownAs().ID), http.StatusOK)
}
