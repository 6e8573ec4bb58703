package e2e_test

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/e2e/corpus"
)

// corpusAgent is how the corpus's requests are told from others in the record
// of what arrived at Label Studio.
const corpusAgent = "rolepass-corpus"

// signedByLabelStudio is the object to which Label Studio leads with its own
// key, if it does: it serves no other way, as its storages are told to.
func signedByLabelStudio(t *testing.T, a got) string {
	t.Helper()
	if a.err != nil || !strings.Contains(a.location, "X-Amz-Signature=") {
		return ""
	}
	signed, err := url.Parse(a.location)
	if err != nil {
		t.Fatal(err)
	}
	return "s3://" + strings.TrimPrefix(signed.Path, "/")
}

// Every target of the corpus goes to Label Studio alone, to Label Studio
// behind its nginx, and through Rolepass. Wherever one of the first two serves
// an object, Rolepass serves the same one or refuses; and what Rolepass passes
// on is served by neither.
func TestWhatLabelStudioServesIsServedOrRefused(t *testing.T) {
	m := visits(t).asMember("radiologist")
	task := readable(m.project("Radiology"), "radiologist")[0]
	public, err := url.Parse(m.demo.Public)
	if err != nil {
		t.Fatal(err)
	}
	direct := running(t).DirectHost()
	fetch := corpus.Fetch{Task: task.ID, Project: m.project("Radiology").ID, URI: task.URI, Host: public.Host}
	targets := fetch.Targets()
	bearer, err := running(t).Bearer(m.id)
	if err != nil {
		t.Fatal(err)
	}
	asMember := []string{"Authorization: " + bearer.Reveal(), "Accept: */*"}
	asBrowser := with(asPicture, "User-Agent: "+corpusAgent, "Accept: */*")
	for _, cookie := range m.client.Jar.Cookies(public) {
		asBrowser = append(asBrowser, "Cookie: "+cookie.Name+"="+cookie.Value)
	}
	took := map[string]time.Duration{}
	send := func(to string, w wire) []got {
		began := time.Now()
		defer func() { took[to] = time.Since(began).Round(100 * time.Millisecond) }()
		return w.sends(t, targets)
	}
	before := len(appSaw(t))
	ours := send("Rolepass", wire{"tcp", public.Host, public.Host, asBrowser, 4})
	passed := map[string]bool{}
	for _, request := range appSaw(t)[before:] {
		if request.UserAgent == corpusAgent {
			passed[request.Target] = true
			if request.Status != http.StatusNotFound {
				t.Errorf("%s reached Label Studio and was answered %d", request.Target, request.Status)
			}
		}
	}
	bare := send("Label Studio", wire{"tcp", direct, direct, asMember, 3})
	behind := send("Label Studio behind nginx", wire{"unix", nginx(t, direct), public.Host, asMember, 3})

	object := running(t).Object(task.URI)
	var byBare, byNginx, same, refused, differing int
	for i, target := range targets {
		alone, behind := signedByLabelStudio(t, bare[i]), signedByLabelStudio(t, behind[i])
		if alone != "" {
			byBare++
		}
		if behind != "" {
			byNginx++
		}
		if alone != behind {
			differing++
		}
		switch answer := ours[i]; {
		case answer.err != nil:
			t.Errorf("%s: no answer: %v", target, answer.err)
		case passed[target] && (alone != "" || behind != ""):
			t.Errorf("%s is passed on, and Label Studio serves %q, behind nginx %q", target, alone, behind)
		case answer.status == http.StatusOK && (!bytes.Equal(answer.body, object) || alone != "" && alone != task.URI || behind != "" && behind != task.URI):
			t.Errorf("%s is served, and Label Studio serves %q, behind nginx %q", target, alone, behind)
		case answer.status == http.StatusOK:
			same++
		case answer.status/100 == 4:
			refused++
		default:
			t.Errorf("%s is answered %d", target, answer.status)
		}
	}
	t.Logf("%d targets: Label Studio serves %d, behind nginx %d (they differ in %d); Rolepass serves %d, the same object, refuses %d, of which %d went to Label Studio, a 404 each; %v",
		len(targets), byBare, byNginx, differing, same, refused, len(passed), took)
	if byBare < 100 || byNginx < 100 || differing == 0 || same < 5 {
		t.Error("this corpus proves little: too few of its targets are served")
	}
}
