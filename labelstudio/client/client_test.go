package client_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rolepass/rolepass/grants"
	"github.com/rolepass/rolepass/labelstudio/client"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
)

var ada = client.Asker{Session: "session-ada", Credential: "7", Authorization: "Bearer token-of-ada"}

// serving gives a client of a Label Studio that answers like this.
func serving(t *testing.T, handler http.HandlerFunc) *client.Client {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return client.New(base, server.Client(), time.Now)
}

// task is the answer about task 3 of project 12 with this data.
func task(data string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"id": 3, "predictions": [{"result": [{"s3": "s3://b/predicted"}]}], "annotations": [], "data": %s, "meta": {"x": "s3://b/meta"}, "project": 12}`, data)
	}
}

func isRefused(t *testing.T, err error, class refusal.Class, code refusal.Code) {
	t.Helper()
	secrets.Refused(err)
	var r *refusal.Refusal
	if !errors.As(err, &r) || r.Code != code || r.Class != class {
		t.Errorf("the error is %v; want it refused as %s", err, code)
	}
}

func TestWhatATaskNames(t *testing.T) {
	names, not := true, false
	for _, c := range []struct {
		data string
		uri  string
		want bool
	}{
		{`{"image": "s3://b/k.png"}`, "s3://b/k.png", names},
		{`{"image": "s3://b/größe +&.png"}`, "s3://b/größe +&.png", names},
		{`{"image": "s3:\/\/b\/\u006b.png"}`, "s3://b/k.png", names},
		{`{"a": {"b": [1, null, {"c": ["x", "s3://b/k.png"]}]}}`, "s3://b/k.png", names},
		{`{"image": "  s3://b/k.png\n"}`, "s3://b/k.png", names},
		{`{"image": "\u001cs3://b/k.png\u00a0"}`, "s3://b/k.png", names},
		{`{"html": "<b \"s3://b/one.png\"\u0001\"two\""}`, "s3://b/one.png", names},
		{`{"n": 1e999, "image": "s3://b/k.png"}`, "s3://b/k.png", names},
		{`{"image": "s3://b/a=b.png"}`, "s3://b/a=b.png", names},
		// What Label Studio takes out of HTML: the first, up to the last quote before an equals sign.
		{`{"html": "<p><img src=\"s3://b/one.png\"> <img alt=\"x\" src=\"s3://b/two.png\">"}`, "s3://b/one.png", names},
		{`{"html": "<p><img src=\"s3://b/one.png\"> <img alt=\"x\" src=\"s3://b/two.png\">"}`, "s3://b/two.png", not},
		{`{"html": "<img src='s3://b/one.png'>"}`, "s3://b/one.png", names},
		{`{"html": "<img src=\"s3://b/it's.png\">"}`, "s3://b/it's.png", names},
		{`{"html": "<img src=\"s3://b/one.png\"> said \"so\""}`, "s3://b/one.png", not},
		{`{"html": "<img src=\"s3://b/a=b.png\">"}`, "s3://b/a=b.png", not},
		{`{"html": "<img src=\"s3://b/open> <img src='s3://b/two.png'>"}`, "s3://b/two.png", names},
		{`{"html": "<img src=\" s3://b/one.png\">"}`, "s3://b/one.png", not},
		// Nothing less than a whole value.
		{`{"image": "s3://b/k.png.bak"}`, "s3://b/k.png", not},
		{`{"image": "s3://b/k.pn"}`, "s3://b/k.png", not},
		{`{"image": "S3://b/k.png"}`, "s3://b/k.png", not},
		{`{"image": "s3://b/K.png"}`, "s3://b/k.png", not},
		{`{"image": "s3a://b/k.png"}`, "s3://b/k.png", not},
		{`{"image": "see s3://b/k.png"}`, "s3://b/k.png", not},
		{`{"image": "s3://b/j.png s3://b/k.png"}`, "s3://b/k.png", not},
		{`{"image": "s3://b/%6b.png"}`, "s3://b/k.png", not},
		{`{"image": "s3://b//k.png"}`, "s3://b/k.png", not},
		{`{"s3://b/k.png": 1}`, "s3://b/k.png", not},
		{`{"list": "[\"s3://b/k.png\", 1]"}`, "s3://b/k.png", names}, // a string of JSON is quoted too
		{`{}`, "s3://b/predicted", not},
		{`{}`, "s3://b/meta", not},
		{`"s3://b/k.png"`, "s3://b/k.png", names},
		{`null`, "s3://b/k.png", not},
		{strings.Repeat("[", 100) + `"s3://b/k.png"` + strings.Repeat("]", 100), "s3://b/k.png", names},
		{strings.Repeat("[", 101) + `"s3://b/k.png"` + strings.Repeat("]", 101), "s3://b/k.png", not},
	} {
		answer, err := serving(t, task(c.data)).Task(t.Context(), ada, 3)
		if err != nil || answer.Place != (grants.Place{Project: 12}) {
			t.Errorf("%s: %+v, %v", c.data, answer.Place, err)
		}
		secrets.Keep("an object", c.uri)
		secrets.Log.Info("asked", "who", ada, "of", presign.Location{})
		bucket, key, _ := strings.Cut(strings.TrimPrefix(c.uri, "s3://"), "/")
		if got := answer.Names(presign.Location{Bucket: bucket, Key: key}); got != c.want {
			t.Errorf("%s\nnames %s: %v, want %v", c.data, c.uri, got, c.want)
		}
	}
}

func TestTheQuestion(t *testing.T) {
	var asked *http.Request
	var kinds []string
	c := serving(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.Clone(context.Background())
		task(`{}`)(w, r)
	})
	c.Asked = func(kind string) { kinds = append(kinds, kind) }
	if _, err := c.Task(t.Context(), ada, 3); err != nil {
		t.Fatal(err)
	}
	if got := asked.Method + " " + asked.RequestURI; got != "GET /api/tasks/3/?resolve_uri=false" {
		t.Errorf("it is %s", got)
	}
	if got := asked.Header.Get("Authorization"); got != "Bearer token-of-ada" {
		t.Errorf("it is asked as %q", got)
	}
	for name := range asked.Header {
		if name != "Authorization" && name != "Accept" && name != "Accept-Encoding" && name != "User-Agent" {
			t.Errorf("it carries %s", name)
		}
	}
	if len(kinds) != 1 || kinds[0] != "task" {
		t.Errorf("it is counted as %v", kinds)
	}
}

func TestWhatLabelStudioSaysNoWith(t *testing.T) {
	for status, want := range map[int]struct {
		class refusal.Class
		code  refusal.Code
	}{
		404: {refusal.Forbidden, client.CodeNotTheirs},
		403: {refusal.Forbidden, client.CodeNotTheirs},
		401: {refusal.Unauthenticated, client.CodeIdentity},
		500: {refusal.Unavailable, client.CodeUnavailable},
		502: {refusal.Unavailable, client.CodeUnavailable},
		429: {refusal.Unavailable, client.CodeUnavailable},
		204: {refusal.Unavailable, client.CodeUnavailable},
		302: {refusal.Unavailable, client.CodeUnavailable},
	} {
		c := serving(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/api/tasks/3/" {
				t.Errorf("a redirect was followed to %s", r.URL.Path)
			}
			w.Header().Set("Location", "/user/login/")
			w.WriteHeader(status)
		})
		answer, err := c.Task(t.Context(), ada, 3)
		isRefused(t, err, want.class, want.code)
		if answer.Names(presign.Location{}) || answer.Place != (grants.Place{}) {
			t.Errorf("%d gives an answer too", status)
		}
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	for _, body := range []string{
		``, `<html>`, `null`, `[]`, `{"id": 3, "data": {}, "proj`, `{"id": 4, "project": 12, "data": {}}`, `{"id": 3, "data": {}}`,
		`{"id": 3, "project": 0, "data": {}}`, `{"id": 3, "project": -1, "data": {}}`, `{"id": "3", "project": 12}`, `{"id": 3, "project": {"id": 12}}`,
		strings.Repeat("[", 20_000),
	} {
		_, err := serving(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }).Task(t.Context(), ada, 3)
		isRefused(t, err, refusal.Unavailable, client.CodeUnavailable)
	}
	c := serving(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat(" ", 5<<20)) })
	_, err := c.Task(t.Context(), ada, 3)
	isRefused(t, err, refusal.Unavailable, client.CodeTooLarge)
	cut := serving(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	_, err = cut.Task(t.Context(), ada, 3)
	isRefused(t, err, refusal.Unavailable, client.CodeUnavailable)
}

func TestPlaces(t *testing.T) {
	for _, c := range []struct {
		project string
		want    grants.Place
	}{
		{`{"id": 12, "title": "x", "organization": 1}`, grants.Place{Organization: 1, Project: 12}}, // Community
		{`{"id": 12, "organization": 4, "workspace": 9}`, grants.Place{Organization: 4, Workspace: 9, Project: 12}},
		{`{"id": 12, "organization": 4, "workspace": null}`, grants.Place{Organization: 4, Project: 12}},
	} {
		var kinds []string
		cl := serving(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/api/projects/12/" {
				fmt.Fprint(w, c.project)
				return
			}
			task(`{"image": "s3://b/k"}`)(w, r)
		})
		cl.WholePlace, cl.Asked = true, func(kind string) { kinds = append(kinds, kind) }
		answer, err := cl.Task(t.Context(), ada, 3)
		if err != nil || answer.Place != c.want || !answer.Names(presign.Location{Bucket: "b", Key: "k"}) {
			t.Errorf("%s: %+v, %v; want %+v", c.project, answer.Place, err, c.want)
		}
		if strings.Join(kinds, " ") != "task project" {
			t.Errorf("asked %v", kinds)
		}
		answer, err = cl.Project(t.Context(), ada, 12)
		if err != nil || answer.Place != c.want || answer.Names(presign.Location{Bucket: "b", Key: "k"}) {
			t.Errorf("the project: %+v, %v", answer, err)
		}
	}
	for _, project := range []string{`{"id": 13, "organization": 1}`, `{"id": 12}`, `{"id": 12, "organization": 1, "workspace": "x"}`} {
		cl := serving(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, project) })
		_, err := cl.Project(t.Context(), ada, 12)
		isRefused(t, err, refusal.Unavailable, client.CodeUnavailable)
	}
	// A project that is not theirs makes its task not theirs.
	cl := serving(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/projects/12/" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		task(`{}`)(w, r)
	})
	cl.WholePlace = true
	_, err := cl.Task(t.Context(), ada, 3)
	isRefused(t, err, refusal.Forbidden, client.CodeNotTheirs)
}

func TestVersion(t *testing.T) {
	c := serving(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/version/" || r.Header.Get("Authorization") != "" {
			t.Errorf("asked %s as %q", r.URL.Path, r.Header.Get("Authorization"))
		}
		fmt.Fprint(w, `{"release": "1.23.2", "label-studio-os-package": {}}`)
	})
	if got, err := c.Version(t.Context()); got != "1.23.2" || err != nil {
		t.Errorf("it is %q, %v", got, err)
	}
	none := serving(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) })
	_, err := none.Version(t.Context())
	isRefused(t, err, refusal.Unavailable, client.CodeUnavailable)
}

func TestNothingSaysWhoAsksOrForWhat(t *testing.T) {
	c := serving(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"id": "s3://canary/canary", "data": {"a": "s3://canary/canary`)
	})
	_, err := c.Task(t.Context(), ada, 3)
	said := fmt.Sprintf("%v %+v %#v", ada, ada, ada)
	for ; err != nil; err = errors.Unwrap(err) {
		said += fmt.Sprintf("\n%+v", err)
	}
	document, _ := json.Marshal(ada.Authorization)
	said += string(document)
	for _, secret := range []string{"canary", "token-of-ada", "session-ada"} {
		if strings.Contains(said, secret) {
			t.Errorf("%q is told in:\n%s", secret, said)
		}
	}
}

// TestA500MayPass: whoever asks for a program, or for a browser, asks again later.
func TestA500MayPass(t *testing.T) {
	c := serving(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	_, err := c.Who(t.Context(), ada)
	isRefused(t, err, refusal.Unavailable, client.CodeShut)
	_, err = c.Owner(t.Context(), ada)
	isRefused(t, err, refusal.Unavailable, client.CodeShut)
}

// URIs and locations are in one order, whatever they begin with alike.
func TestURIsAreInOrder(t *testing.T) {
	part := rapid.StringOf(rapid.RuneFrom([]rune("ab/.-é")))
	rapid.Check(t, func(t *rapid.T) {
		location := presign.Location{Bucket: part.Draw(t, "bucket"), Key: part.Draw(t, "key")}
		uri := "s3://" + part.Draw(t, "uri")
		if rapid.Bool().Draw(t, "cut") {
			uri = location.URI()[:rapid.IntRange(0, len(location.URI())).Draw(t, "at")]
		}
		if got, want := cmp.Compare(client.Compare(uri, location), 0), strings.Compare(uri, location.URI()); got != want {
			t.Fatalf("%q beside %q: %d, not %d", uri, location.URI(), got, want)
		}
	})
}
