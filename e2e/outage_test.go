package e2e_test

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/e2e/stack"
)

// When Label Studio does not answer, it has not said yes: nothing is fetched, in
// words and with a status that an open editor survives. What it has said a moment
// ago still counts, and afterwards all is as before.
func TestWithoutLabelStudiosYesNothingIsFetched(t *testing.T) {
	before := visits(t)
	before.signsIn("radiologist")
	task := readable(before.project("Radiology"), "radiologist")[0]
	before.mustBe(before.fetches(task.ID, task.URI), http.StatusOK)
	outage(t, stack.HangsUp, func() { before.mustBe(before.fetches(task.ID, task.URI), http.StatusOK) })
	for name, kind := range map[string]stack.Outage{"it hangs up": stack.HangsUp, "it says nothing": stack.Hangs, "nobody is at its port": stack.Refuses} {
		t.Run(name, func(t *testing.T) {
			v := visits(t)
			v.signsIn("radiologist") // nobody has asked for this session yet
			outage(t, kind, func() {
				s3, began := len(s3Saw(t)), time.Now()
				said := v.mustBe(v.fetches(task.ID, task.URI), http.StatusServiceUnavailable)
				if took := time.Since(began); took > refusedIn {
					t.Errorf("the refusal came after %v", took)
				}
				if len(s3Saw(t)) != s3 {
					t.Error("S3 was asked")
				}
				if strings.Contains(string(said.body), "127.0.0.1") || !strings.Contains(string(said.body), "Not available right now") {
					t.Errorf("the answer is %s", said.body)
				}
			})
			v.mustBe(v.fetches(task.ID, task.URI), http.StatusOK)
		})
	}
}

// A page of Label Studio's is an error while nobody is at its port, and the page
// again afterwards: neither Envoy nor Rolepass makes one up.
func TestAPageOfLabelStudioThatIsNotThere(t *testing.T) {
	v := visits(t)
	v.signsIn("radiologist")
	address := v.demo.Public + "/projects/"
	outage(t, stack.Refuses, func() {
		began := time.Now()
		said := v.mustBe(v.asks("GET", address, nil, asPage...), http.StatusServiceUnavailable)
		if took := time.Since(began); took > refusedIn || strings.Contains(string(said.body), "127.0.0.1") {
			t.Errorf("after %v: %s", took, said.body)
		}
	})
	v.mustBe(v.asks("GET", address, nil, asPage...), http.StatusOK)
}

// Without the identity provider nobody new gets in, and it is that provider's
// address which does not answer. Who is signed in notices nothing: pages, the
// application's questions, and objects that nobody has asked for yet.
func TestWithoutTheIdPSessionsLiveOn(t *testing.T) {
	v, newcomer := visits(t), visits(t)
	v.signsIn("radiologist")
	tasks := readable(v.project("Radiology"), "radiologist")
	v.mustBe(v.fetches(tasks[0].ID, tasks[0].URI), http.StatusOK)
	err := running(t).WithoutIdP(func() {
		if conn, err := net.Dial("tcp", mustParse(v.demo.IdP).Host); err == nil {
			_ = conn.Close()
			t.Fatal("the identity provider answers: the test proves nothing")
		}
		v.mustBe(v.asks("GET", v.demo.Public+"/projects/", nil, asPage...), http.StatusOK)
		v.mustBe(v.asks("GET", v.demo.Public+"/api/projects/", nil, asScript...), http.StatusOK)
		for _, task := range tasks[len(tasks)-3:] {
			v.mustBe(v.fetches(task.ID, task.URI), http.StatusOK)
		}
		sent := newcomer.mustBe(newcomer.asks("GET", v.demo.Public+"/", nil, asPage...), http.StatusSeeOther)
		if to := newcomer.next(sent); !strings.HasPrefix(to, v.demo.IdP+"/") {
			t.Errorf("a newcomer is sent to %s", to)
		}
		newcomer.mustBe(newcomer.fetches(tasks[0].ID, tasks[0].URI), http.StatusUnauthorized)
	})
	if err != nil {
		t.Fatal(err)
	}
	newcomer.signsIn("radiologist")
	newcomer.mustBe(newcomer.fetches(tasks[0].ID, tasks[0].URI), http.StatusOK)
}

// refusedIn is how soon a refusal must come: ours after five seconds, and not
// Envoy's own after fifteen.
const refusedIn = 12 * time.Second

// outage lets Label Studio fail while do runs.
func outage(t *testing.T, kind stack.Outage, do func()) {
	t.Helper()
	if err := running(t).WithOutage(kind, do); err != nil {
		t.Fatal(err)
	}
}
