package e2e_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// reader stands before the token service and lets it have read another value, in
// one element of its answer.
type reader struct{ element, value atomic.Value }

func (r *reader) reads(element, value string) {
	r.element.Store(element)
	r.value.Store(value)
}

func (r *reader) serve(t *testing.T, sts string) string {
	t.Helper()
	proxy := httputil.NewSingleHostReverseProxy(mustParse(sts))
	proxy.ModifyResponse = func(answer *http.Response) error {
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			return err
		}
		element := r.element.Load().(string)
		body = regexp.MustCompile("<"+element+">[^<]*</"+element+">").ReplaceAll(body, []byte("<"+element+">"+r.value.Load().(string)+"</"+element+">"))
		answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		answer.Header.Set("Content-Length", strconv.Itoa(len(body)))
		return nil
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.URL
}

// Where the token service reads one assertion differently, the person is not
// signed in, and the operator has an error in the log and a metric that is there
// for nothing else. The person is told neither.
func TestADisagreementDropsTheLoginAndRaisesAnAlarm(t *testing.T) {
	s := running(t)
	var r reader
	r.reads("Nothing", "")
	sts := map[string]any{"sts": []any{map[string]any{"name": "demo", "region": "us-east-1", "endpoint": r.serve(t, s.Demo.STS)}}}
	err := s.WithConfig(t.Context(), sts, func() {
		before := len(alarms(t, s.Demo.Logs["rolepass"]))
		agreed := visits(t)
		agreed.signsIn("radiologist") // so that what follows is about the one value
		task := readable(agreed.project("Radiology"), "radiologist")[0]
		agreed.mustBe(agreed.fetches(task.ID, task.URI), http.StatusOK)
		disagreements := []struct{ element, value string }{
			{"Subject", "somebody else"},
			{"SubjectType", "transient"},
			{"Issuer", "https://evil.example.test/metadata"},
			{"Audience", "https://signin.aws.amazon.com/saml"},
			{"Arn", "arn:aws:sts::111122223333:assumed-role/administrator/radiologist"},
		}
		for i, c := range disagreements {
			r.reads(c.element, c.value)
			v := visits(t)
			refused := v.mustBe(v.sends(v.proves(v.opens(v.demo.Public+"/"), "radiologist"), "cross-site"), http.StatusForbidden)
			v.audited(refused, "sts_disagrees")
			if text := string(refused.body); strings.Contains(text, "STS") || strings.Contains(text, c.value) {
				t.Errorf("%s: the person is told: %s", c.element, text)
			}
			v.mustBe(v.fetches(task.ID, task.URI), http.StatusUnauthorized)
			if raised := alarms(t, s.Demo.Logs["rolepass"])[before:]; len(raised) != i+1 || strings.Contains(strings.Join(raised, ""), c.value) {
				t.Errorf("%s: the log has %q", c.element, raised)
			}
			want := `rolepass_sts_calls_total{outcome="disagreed"} ` + strconv.Itoa(i+1) + "\n"
			if metrics := string(v.mustBe(v.asks("GET", v.demo.Admin+"/metrics", nil), http.StatusOK).body); !strings.Contains(metrics, want) {
				t.Errorf("%s: the metrics have no line %s", c.element, want)
			}
		}
		agreed.mustBe(agreed.fetches(task.ID, task.URI), http.StatusOK)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// alarms are the errors in Rolepass's log.
func alarms(t *testing.T, file string) (all []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, `"level":"ERROR"`) || strings.Contains(line, "level=ERROR") {
			all = append(all, line)
		}
	}
	return all
}

// An assertion that was issued before Rolepass started anew is refused, though its
// login, which the browser keeps, still opens: nobody knows whether it was used.
func TestAResponseFromBeforeARestartIsRefused(t *testing.T) {
	v, before := visits(t), visits(t)
	response := v.proves(v.opens(v.demo.Public+"/"), "radiologist")
	used := before.proves(before.opens(before.demo.Public+"/"), "radiologist")
	before.mustBe(before.sends(used, "cross-site"), http.StatusSeeOther)
	if err := running(t).WithoutRolepass(t.Context(), func() {}); err != nil {
		t.Fatal(err)
	}
	v.audited(v.mustBe(v.sends(response, "cross-site"), http.StatusForbidden), "saml_before_start")
	task := readable(v.project("Radiology"), "radiologist")[0]
	v.mustBe(v.fetches(task.ID, task.URI), http.StatusUnauthorized)
	before.mustBe(before.sends(used, "cross-site"), http.StatusSeeOther) // to a fresh login: its cookie is gone
	before.mustBe(before.fetches(task.ID, task.URI), http.StatusUnauthorized)
	// The IdP knows the person, and answers without asking.
	v.mustBe(v.sends(v.form(v.opens(v.demo.Public+"/")), "cross-site"), http.StatusSeeOther)
	v.mustBe(v.fetches(task.ID, task.URI), http.StatusOK)
}
