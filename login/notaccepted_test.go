package login_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
)

// looks is all that a browser sees of a page.
func looks(p login.Page) string { return fmt.Sprintf("%d %v %s", p.Status, p.Header, p.Body) }

// Every response of the catalogue is refused with a page, and all of these are the
// same to the letter, whatever was wrong and however far it came.
func TestEveryRefusedResponseHasOnePage(t *testing.T) {
	idp, err := samltest.Scene()
	if err != nil {
		t.Fatal(err)
	}
	metadata, err := saml.ParseMetadata(idp.Metadata())
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	codes := map[refusal.Code]bool{}
	asPage, asDocument := map[string]bool{}, map[string]bool{}
	for _, v := range samltest.Catalogue() {
		spec, now := v.Refused()
		sp := &saml.ServiceProvider{EntityID: samltest.SceneSP, ACS: samltest.SceneACS, Now: func() time.Time { return now },
			IdP: saml.IdP{Name: "corp", Metadata: metadata, Audience: []string{samltest.AWSAudience, samltest.SceneSP}, Providers: []string{samltest.SceneProvider}}}
		_, err := sp.Verify(idp.Response(spec), saml.Expect{RequestID: samltest.SceneRequest})
		var ref *refusal.Refusal
		if !errors.As(err, &ref) {
			continue // it breaks a rule that this service provider does not have
		}
		codes[ref.Code] = true
		page := w.RefuseResponse(login.Request{ID: "r-1", HTML: true}, err)
		if page.Status != 403 || page.Refusal != ref {
			t.Errorf("%s: %d, in the log %v", v.Name, page.Status, page.Refusal)
		}
		asPage[looks(page)] = true
		asDocument[looks(w.RefuseResponse(login.Request{ID: "r-1"}, err))] = true
	}
	if len(codes) < 50 || len(asPage) != 1 || len(asDocument) != 1 {
		t.Errorf("%d codes have %d pages and %d documents: %v %v", len(codes), len(asPage), len(asDocument), asPage, asDocument)
	}
}

// The same through the ACS: what cannot be read, what is not believed, what was
// used before, and what STS reads differently.
func TestTheACSHasOnePageForWhatItDoesNotAccept(t *testing.T) {
	pages := map[string]string{}
	for name, story := range map[string]struct {
		change func(*world, *samltest.Spec)
		post   func(string) string
		twice  bool
		code   refusal.Code
	}{
		"no XML":           {post: func(string) string { return "aGVsbG8=" }, code: "saml_not_xml"},
		"no base64":        {post: func(encoded string) string { return encoded[1:] }, code: "saml_base64"},
		"another audience": {change: func(_ *world, s *samltest.Spec) { s.Audiences = []string{"https://other.test"} }, code: "saml_audience"},
		"another key": {change: func(_ *world, s *samltest.Spec) {
			s.AfterSigning = samltest.SetText("./Response/Assertion/Subject/NameID", "admin")
		}, code: "saml_signature"},
		"used before": {twice: true, code: "saml_replay"},
		"STS reads another": {change: func(w *world, _ *samltest.Spec) {
			w.sts = func(_ *sts.AssumeRoleWithSAMLInput, out *sts.AssumeRoleWithSAMLOutput) error {
				out.Subject = aws.String("admin")
				return nil
			}
		}, code: "sts_disagrees"},
	} {
		w := newWorld(t)
		b := w.browser()
		request := b.starts("/")
		spec := right(request)
		if story.change != nil {
			story.change(w, &spec)
		}
		encoded := w.idp.Response(spec)
		if story.post != nil {
			encoded = story.post(encoded)
		}
		r := posting(encoded, request.RelayState)
		r.ID, r.HTML, r.CookieLines = "r-1", true, b.lines()
		page := w.Handle(t.Context(), r)
		if story.twice {
			page = w.Handle(t.Context(), r)
		}
		if page.Status != 403 || page.Refusal == nil || page.Refusal.Code != story.code {
			t.Errorf("%s: %d %v, want %s", name, page.Status, page.Refusal, story.code)
		}
		pages[looks(page)] += name + ", "
	}
	if len(pages) != 1 {
		t.Errorf("there are %d pages: %v", len(pages), pages)
	}
}
