package e2e_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/server"
)

// commands runs one of Rolepass's commands, as its operator.
func (v *visitor) commands(args ...string) string {
	v.t.Helper()
	said, err := running(v.t).Rolepass(v.t.Context(), args...)
	if err != nil {
		v.t.Fatal(err)
	}
	return said
}

// keys are the secrets of the files that Rolepass holds.
func (v *visitor) keys() map[string]string {
	v.t.Helper()
	found := map[string]string{}
	for _, pattern := range []string{"keys/*.key", "saml-keys/*.pem", "*.secret"} {
		names, err := filepath.Glob(filepath.Join(running(v.t).Dir, pattern))
		if err != nil {
			v.t.Fatal(err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				v.t.Fatal(err)
			}
			secret := string(text)
			if _, private, ok := strings.Cut(secret, "-----BEGIN PRIVATE KEY-----\n"); ok {
				secret = private
			}
			found["the file "+filepath.Base(name)] = strings.TrimSpace(secret)
		}
	}
	least := 3 // keys of records, of SAML, and Label Studio's secret
	if composed {
		least = 2 // which needs none of SAML
	}
	if len(found) < least {
		v.t.Fatalf("only %d files with secrets", len(found))
	}
	return found
}

// metric is the value of a metric that has no labels.
func (v *visitor) metric(name string) float64 {
	v.t.Helper()
	text := string(v.mustBe(v.asks("GET", v.demo.Admin+"/metrics", nil), http.StatusOK).body)
	_, rest, found := strings.Cut(text, "\n"+name+" ")
	said, _, _ := strings.Cut(rest, "\n")
	value, err := strconv.ParseFloat(said, 64)
	if !found || err != nil {
		v.t.Fatalf("there is no metric %s (%v)", name, err)
	}
	return value
}

// An operator sees who is signed in, and ends it: the next fetch is refused. The
// metrics say how many there are, and how full the state is.
func TestAnOperatorEndsSessions(t *testing.T) {
	one, other := visits(t), visits(t)
	one.signsIn("radiologist")
	other.signsIn("researcher")
	task, theirs := readable(one.project("Radiology"), "radiologist")[0], readable(other.project("Research"), "researcher")[0]
	one.mustBe(one.fetches(task.ID, task.URI), http.StatusOK)

	var all []server.ListedSession
	if err := json.Unmarshal([]byte(one.commands("sessions", "list", "--json")), &all); err != nil {
		t.Fatal(err)
	}
	// Sessions of other stories may end meanwhile.
	if counted := one.metric("rolepass_sessions"); counted < 2 || counted > float64(len(all)) {
		t.Errorf("the metrics count %v sessions of %d", counted, len(all))
	}
	if held, most := one.metric("rolepass_state_bytes"), one.metric("rolepass_state_max_bytes"); held < 1000 || held >= most || one.metric("rolepass_state_evicted_total") != 0 {
		t.Errorf("%v bytes of %v are held", held, most)
	}
	listed := 0
	for _, s := range all {
		if s.Person == one.account("radiologist").Email && s.IdP == "demo" && len(s.Roles) == 1 {
			listed++
		}
	}
	if listed == 0 {
		t.Fatalf("the radiologist is not among %+v", all)
	}
	one.commands("sessions", "revoke", "--person", one.account("radiologist").Email)
	one.mustBe(one.fetches(task.ID, task.URI), http.StatusUnauthorized)
	if counted := one.metric("rolepass_sessions"); counted < 1 || counted > float64(len(all)-listed) {
		t.Errorf("the metrics count %v sessions of %d, of which %d were ended", counted, len(all), listed)
	}
	other.mustBe(other.fetches(theirs.ID, theirs.URI), http.StatusOK)
	other.commands("sessions", "revoke", "--role", "arn:aws:iam::111122223333:role/research")
	other.mustBe(other.fetches(theirs.ID, theirs.URI), http.StatusUnauthorized)
}

// One of a person's two sessions ends by its name, as the list shows it; the other
// goes on.
func TestAnOperatorEndsOneSession(t *testing.T) {
	stays, goes := visits(t), visits(t)
	stays.signsIn("radiologist")
	before := stays.sessions()
	goes.signsIn("radiologist")
	task := readable(goes.project("Radiology"), "radiologist")[0]
	var begun []string
	for name := range goes.sessions() {
		if !before[name] {
			begun = append(begun, name)
		}
	}
	if len(begun) != 1 {
		t.Fatalf("one login began the sessions %v", begun)
	}
	goes.mustBe(goes.fetches(task.ID, task.URI), http.StatusOK)
	if said := goes.commands("sessions", "revoke", "--session", begun[0]); said != "1 ended\n" {
		t.Errorf("the command says %q", said)
	}
	goes.mustBe(goes.fetches(task.ID, task.URI), http.StatusUnauthorized)
	stays.mustBe(stays.fetches(task.ID, task.URI), http.StatusOK)
	if goes.sessions()[begun[0]] {
		t.Error("it is listed after its end")
	}
}

// sessions are the names of all that an operator sees.
func (v *visitor) sessions() map[string]bool {
	v.t.Helper()
	var all []server.ListedSession
	if err := json.Unmarshal([]byte(v.commands("sessions", "list", "--json")), &all); err != nil {
		v.t.Fatal(err)
	}
	names := map[string]bool{}
	for _, s := range all {
		names[s.Session] = true
	}
	return names
}

// A new key seals what comes, and nobody is signed out.
func TestANewKeySignsNobodyOut(t *testing.T) {
	v := visits(t)
	v.signsIn("radiologist")
	task := readable(v.project("Radiology"), "radiologist")[0]
	v.mustBe(v.fetches(task.ID, task.URI), http.StatusOK)
	v.commands("keys", "rotate")
	v.mustBe(v.fetches(task.ID, task.URI), http.StatusOK)
	after := visits(t)
	after.signsIn("radiologist")
	after.mustBe(after.fetches(task.ID, task.URI), http.StatusOK)
}
