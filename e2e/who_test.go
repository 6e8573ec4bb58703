package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rolepass/rolepass/e2e/canary"
	"github.com/rolepass/rolepass/e2e/stack"
)

// The S3 server itself says whose credentials read: those of the person's own
// role session, narrowed by the grants, and never Label Studio's key.
func TestS3SeesThePersonsRoleAndNothingElse(t *testing.T) {
	v := visits(t)
	v.signsIn("radiologist")
	task := readable(v.project("Radiology"), "radiologist")[0]
	before := len(s3Saw(t))
	v.mustBe(v.fetches(task.ID, task.URI, "Cookie: sessionid=of-the-app", "Authorization: Token of-the-app", "X-Api-Key: of-the-app", "X-Amz-Meta-A: b", "Referer: http://localhost/projects/1"), http.StatusOK)
	seen := s3Saw(t)[before:]
	if len(seen) != 1 || seen[0].Auth != "query" || seen[0].Method != "GET" {
		t.Fatalf("S3 saw %+v", seen)
	}
	for _, header := range []string{"cookie", "authorization", "x-api-key", "referer", "origin", "x-amz-meta-a", "x-forwarded-for", "x-request-id", "sec-fetch-dest"} {
		if seen[0].Carried(header) {
			t.Errorf("S3 saw the browser's %s", header)
		}
	}
	whose := stack.Exchange{}
	for _, exchange := range stsSaw(t) {
		if exchange.AccessKeyID == seen[0].AccessKeyID {
			whose = exchange
		}
	}
	if !strings.HasSuffix(whose.Role, ":role/radiology") || whose.SessionName != v.account("radiologist").Email || !whose.Narrowed {
		t.Errorf("the object was read by %+v", whose)
	}
	if read := storeRead(t, seen[0].AccessKeyID); read.Parent != "role-radiology" || read.Object != task.URI {
		t.Errorf("the S3 server logged %+v", read)
	}
	for _, record := range s3Saw(t) {
		if record.AccessKeyID == "label-studio" && record.Key != "" && record.Status/100 == 2 && !strings.HasPrefix(record.Key, "tasks/") {
			t.Errorf("Label Studio's key read an object (%s)", record.Method)
		}
	}
}

// Label Studio knows people by our bearer alone, whatever else a browser says.
func TestLabelStudioSeesOnlyThePersonsBearer(t *testing.T) {
	v := visits(t)
	v.signsIn("radiologist")
	before := len(appSaw(t))
	who := v.mustBe(v.asks("GET", v.demo.Public+"/api/current-user/whoami", nil,
		with(asScript, "X-Api-Key: 0123456789abcdef", "Authorization: Token 0123456789abcdef", "Cookie: sessionid=somebody; csrftoken=c; sessionid =somebody; \u00a0sessionid=somebody")...), http.StatusOK)
	var me struct {
		Email     string `json:"email"`
		FirstName string `json:"first_name"`
	}
	if err := json.Unmarshal(who.body, &me); err != nil || me.Email != v.account("radiologist").Email || me.FirstName != "Rosa" {
		t.Errorf("Label Studio takes the radiologist for %+v (%v)", me, err)
	}
	arrived := 0
	for _, request := range appSaw(t)[before:] {
		if !request.FromEnvoy {
			continue
		}
		arrived++
		if request.Scheme != "Bearer" || request.User == "" || request.User == "1" {
			t.Errorf("Label Studio saw the credential %s of user %q", request.Scheme, request.User)
		}
		if slices.Contains(request.Headers, "x-api-key") || slices.ContainsFunc(request.Cookies, func(name string) bool { return name != "csrftoken" }) {
			t.Errorf("Label Studio saw headers %v and cookies %v", request.Headers, request.Cookies)
		}
	}
	if arrived != 1 {
		t.Errorf("%d requests arrived at Label Studio", arrived)
	}
}

// STS is asked once for each role at a login, and never because of a fetch.
func TestSTSIsAskedAtTheLoginOnly(t *testing.T) {
	v := visits(t)
	before := len(stsSaw(t))
	v.signsIn("both")
	atLogin := stsSaw(t)[before:]
	roles := map[string]int{}
	for _, exchange := range atLogin {
		roles[exchange.Role]++
		if exchange.Code != "OK" {
			t.Errorf("STS answered %s for %s", exchange.Code, exchange.Role)
		}
	}
	if len(roles) != 2 || len(atLogin) != 2 {
		t.Errorf("a login with two roles asked STS for %v", roles)
	}
	fetched := 0
	for _, project := range v.demo.Projects {
		for _, task := range readable(project, "both")[:min(5, len(readable(project, "both")))] {
			v.mustBe(v.fetches(task.ID, task.URI), http.StatusOK)
			fetched++
		}
	}
	if more := len(stsSaw(t)) - before - len(atLogin); more != 0 {
		t.Errorf("%d fetches asked STS %d times", fetched, more)
	}
	t.Logf("STS: %d calls for a login with 2 roles, 0 for %d fetches", len(atLogin), fetched)
}

// A page of the Data Manager loads thirty objects, six at a time as browsers
// do; Label Studio is asked once, with the question that the page asked itself.
func TestAPageOfThirtyIsOneQuestion(t *testing.T) {
	v := visits(t)
	v.signsIn("radiologist")
	project := v.project("Radiology")
	tasks := readable(project, "radiologist")[:30]
	before := questions(t)
	v.mustBe(v.asks("GET", fmt.Sprintf("%s/api/tasks?page=1&page_size=30&project=%d", v.demo.Public, project.ID), nil, asScript...), http.StatusOK)
	for sixth := range slices.Chunk(tasks, 6) {
		var together sync.WaitGroup
		for _, task := range sixth {
			together.Go(func() {
				if status := v.fetches(task.ID, task.URI).StatusCode; status != http.StatusOK {
					t.Errorf("task %d: %d", task.ID, status)
				}
			})
		}
		together.Wait()
	}
	asked := questions(t) - before
	if asked != 1 {
		t.Errorf("thirty objects were %d questions", asked)
	}
	t.Logf("questions to Label Studio for a page of 30: %d", asked)
	for _, task := range tasks {
		v.mustBe(v.fetches(task.ID, task.URI), http.StatusOK)
	}
	if more := questions(t) - before - asked; more != 0 {
		t.Errorf("the same page again was %d questions", more)
	}
}

// Where Label Studio does not answer, the refusal comes in time, and so does
// the next yes when it answers again.
func TestLabelStudioThatStopsIsARefusalInTime(t *testing.T) {
	v := visits(t)
	v.signsIn("radiologist")
	tasks := readable(v.project("Radiology"), "radiologist")[40:43]
	app := v.demo.PIDs["label_studio"]
	if err := syscall.Kill(app, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	stopped := true
	goesOn := func() {
		if stopped {
			stopped = false
			_ = syscall.Kill(app, syscall.SIGCONT)
		}
	}
	defer goesOn()
	began := time.Now()
	var together sync.WaitGroup
	for _, task := range tasks {
		together.Go(func() {
			got := v.fetches(task.ID, task.URI)
			if got.StatusCode != http.StatusServiceUnavailable || len(got.body) > 4096 {
				t.Errorf("task %d: %s, %d bytes", task.ID, got.Status, len(got.body))
			}
		})
	}
	together.Wait()
	if took := time.Since(began); took > refusedIn {
		t.Errorf("the refusals came after %v", took)
	}
	goesOn()
	past(t, owner, "GET", "/health", "", "") // it has what it was asked meanwhile before it
	for _, task := range tasks {
		v.mustBe(v.fetches(task.ID, task.URI), http.StatusOK)
	}
}

// Signing out ends everything, and the next login asks for the password even
// though the identity provider still knows the browser.
func TestSigningOut(t *testing.T) {
	v := visits(t)
	v.signsIn("radiologist")
	task := readable(v.project("Radiology"), "radiologist")[0]
	v.mustBe(v.fetches(task.ID, task.URI), http.StatusOK)
	kept := v.client.Jar.Cookies(mustParse(v.demo.Public))

	out := v.mustBe(v.asks("GET", v.demo.Public+"/logout", nil, asPage...), http.StatusSeeOther)
	if out.Header.Get("Clear-Site-Data") != `"cache", "storage"` {
		t.Errorf("Clear-Site-Data is %q", out.Header.Get("Clear-Site-Data"))
	}
	v.mustBe(v.fetches(task.ID, task.URI), http.StatusUnauthorized)

	stolen := visits(t)
	stolen.client.Jar.SetCookies(mustParse(v.demo.Public), kept)
	stolen.mustBe(stolen.fetches(task.ID, task.URI), http.StatusUnauthorized)

	asked := v.opens(v.demo.Public + "/")
	if !strings.Contains(string(asked.body), `name="password"`) {
		t.Errorf("after the logout, the next login does not ask: %.300s", asked.body)
	}
	v.mustBe(v.sends(v.proves(asked, "researcher"), "cross-site"), http.StatusSeeOther)
	v.mustBe(v.fetches(task.ID, task.URI), http.StatusForbidden)
}

// Who is signed in at the identity provider is not asked twice.
func TestSigningInAgainIsSilent(t *testing.T) {
	v := visits(t)
	v.signsIn("radiologist")
	v.client.Jar.SetCookies(mustParse(v.demo.Public), []*http.Cookie{{Name: "__Host-rolepass", Path: "/", MaxAge: -1, Secure: true}})
	page := v.opens(v.demo.Public + "/projects/")
	if strings.Contains(string(page.body), `name="password"`) {
		t.Fatal("the login page asks again")
	}
	back := v.mustBe(v.sends(v.form(page), "cross-site"), http.StatusSeeOther)
	if back.Header.Get("Location") != "/projects/" && back.Header.Get("Location") != v.demo.Public+"/projects/" {
		t.Errorf("back at %q", back.Header.Get("Location"))
	}
}

// A response works once, in the browser that asked for it.
func TestAResponseWorksOnceAndForOneBrowserOnly(t *testing.T) {
	v := visits(t)
	form := v.proves(v.opens(v.demo.Public+"/"), "radiologist")

	other := visits(t)
	task := readable(v.project("Radiology"), "radiologist")[0]
	other.mustBe(other.sends(form, "cross-site"), http.StatusSeeOther) // to a login of its own
	other.mustBe(other.fetches(task.ID, task.URI), http.StatusUnauthorized)

	tampered := form
	tampered.values = map[string][]string{"SAMLResponse": {strings.Replace(form.values.Get("SAMLResponse"), "A", "B", 1)}, "RelayState": form.values["RelayState"]}
	if got := v.sends(tampered, "cross-site"); got.StatusCode/100 != 4 {
		t.Errorf("a changed response: %s", got.Status)
	}

	var twice sync.WaitGroup
	statuses := make([]int, 4)
	for i := range statuses {
		twice.Go(func() { statuses[i] = v.sends(form, "cross-site").StatusCode })
	}
	twice.Wait()
	entered := 0
	for _, status := range statuses {
		if status == http.StatusSeeOther {
			entered++
		}
	}
	if entered != 1 {
		t.Errorf("four submissions of one response: %v", statuses)
	}
	v.mustBe(v.fetches(task.ID, task.URI), http.StatusOK)
}

// Without Rolepass nothing passes; and after a restart nobody is signed in who
// was before, since the state is in memory.
func TestWithoutRolepassEverythingIsRefused(t *testing.T) {
	v := visits(t)
	v.signsIn("radiologist")
	task := readable(v.project("Radiology"), "radiologist")[0]
	app, s3 := len(appSaw(t)), len(s3Saw(t))
	err := running(t).WithoutRolepass(t.Context(), func() {
		for _, target := range []string{"/", "/projects/", "/api/projects/", fetchPath(task.ID, task.URI), "/rolepass/whoami", "/static/js/main.js"} {
			v.mustBe(v.asks("GET", v.demo.Public+target, nil, asPage...), http.StatusServiceUnavailable)
		}
		if more := len(appSaw(t)) - app + len(s3Saw(t)) - s3; more != 0 {
			t.Errorf("%d requests passed", more)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	v.mustBe(v.fetches(task.ID, task.URI), http.StatusUnauthorized)
}

// What is written anywhere holds nothing by which somebody could get in, and
// no object's key.
func TestNothingSecretIsWrittenDown(t *testing.T) {
	v := visits(t)
	form := v.proves(v.opens(v.demo.Public+"/"), "radiologist")
	v.mustBe(v.sends(form, "cross-site"), http.StatusSeeOther)
	task := readable(v.project("Radiology"), "radiologist")[0]
	v.mustBe(v.fetches(task.ID, task.URI), http.StatusOK)
	v.mustBe(v.asks("GET", v.demo.Public+"/projects/", nil, asPage...), http.StatusOK)
	refused := v.mustBe(v.fetches(task.ID, v.demo.Outside[0]), http.StatusForbidden)
	written := map[string][]byte{
		"a page that says no":       refused.body,
		"a page that cannot read":   v.mustBe(v.raw("GET", fetchPath(task.ID, task.URI)+"=", asPicture...), http.StatusBadRequest).body,
		"who am I":                  v.mustBe(v.asks("GET", v.demo.Public+"/rolepass/whoami", nil, asPage...), http.StatusOK).body,
		"the metrics":               v.mustBe(v.asks("GET", v.demo.Admin+"/metrics", nil), http.StatusOK).body,
		"a list for administrators": []byte(v.commands("sessions", "list", "--json")),
	}

	secrets := map[string]string{
		"the SAML response": form.values.Get("SAMLResponse"), "a signature": "X-Amz-Signature", "a signed query": "X-Amz-Credential",
		"an object's key": strings.TrimPrefix(task.URI, "s3://imaging/"), "an object's key, encoded": fetchPath(task.ID, task.URI)[len("/tasks/1/resolve/?fileuri="):],
		"another object's key": "in-no-task", "a password": v.account("radiologist").Password, "a relay state": form.values.Get("RelayState"),
	}
	for _, cookie := range v.client.Jar.Cookies(mustParse(v.demo.Public)) {
		if strings.HasPrefix(cookie.Name, "__Host-rolepass") && len(cookie.Value) > 10 {
			secrets["the cookie "+cookie.Name] = cookie.Value
		}
	}
	if len(secrets) < 9 {
		t.Fatal("there is no session cookie to look for")
	}
	for name, secret := range v.keys() {
		secrets[name] = secret
	}
	v.auditedAs(refused) // and so what was done before it
	for _, name := range []string{"rolepass", "audit", "access", "envoy"} {
		text, err := os.ReadFile(v.demo.Logs[name])
		if err != nil {
			t.Fatal(err)
		}
		written[name] = text
	}
	for name, text := range written {
		if bytes.Contains(text, []byte("eyJ")) {
			t.Errorf("a session token or a bearer is in %s", name)
		}
	}
	for _, found := range canary.Found(secrets, written) {
		t.Error(found)
	}
	eventually(t, "the object's key where it is: S3 logs what it gives", func() (s3 []byte, found bool) {
		s3, err := os.ReadFile(v.demo.Logs["s3"])
		if err != nil {
			t.Fatal(err)
		}
		return s3, len(canary.Found(map[string]string{"the object": secrets["an object's key"]}, map[string][]byte{"S3's own log": s3})) > 0
	})
	if !strings.Contains(string(written["audit"]), `"role":"arn:aws:iam::111122223333:role/radiology"`) {
		t.Error("the audit does not say under which role the object was read")
	}
}
