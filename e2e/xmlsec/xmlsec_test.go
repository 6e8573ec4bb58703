// Package xmlsec asks a third reader of signatures, one in another language and
// on another XML library: whatever package saml accepts, xmlsec1 accepts with
// the pinned certificate.
package xmlsec

import (
	"bytes"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
)

// program is xmlsec1 with the one certificate that it may trust. KeyInfo is
// not read: no other key counts.
type program struct{ path, certificate, dir string }

func newProgram(t *testing.T, key *samltest.Key) program {
	t.Helper()
	path, err := exec.LookPath("xmlsec1")
	if err != nil {
		t.Fatal("there is no xmlsec1, which verifies what Rolepass accepts: install it (in Debian: apt-get install xmlsec1)")
	}
	p := program{path: path, dir: t.TempDir()}
	p.certificate = filepath.Join(p.dir, "idp.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: key.Certificate.Raw})
	if err := os.WriteFile(p.certificate, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// verifies asks about the signature in one element of a document.
func (p program) verifies(t *testing.T, document []byte, signature string) error {
	t.Helper()
	file := filepath.Join(p.dir, "response.xml")
	if err := os.WriteFile(file, document, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(p.path, "--verify", "--pubkey-cert-pem", p.certificate, "--enabled-key-data", "key-name",
		"--id-attr:ID", samltest.ProtocolNS+":Response", "--id-attr:ID", samltest.AssertionNS+":Assertion",
		"--node-xpath", signature, file).CombinedOutput()
	if err != nil {
		t.Logf("xmlsec1 says: %s", bytes.TrimSpace(out))
	}
	return err
}

const (
	ofResponse  = "/*/*[local-name()='Signature']"
	ofAssertion = "/*/*[local-name()='Assertion']/*[local-name()='Signature']"
)

// signatures are the places of the signatures in a document.
func signatures(document []byte) (places []string) {
	assertion := bytes.Index(document, []byte("Assertion "))
	first := bytes.Index(document, []byte("Signature "))
	if first >= 0 && first < assertion {
		places = append(places, ofResponse)
	}
	if bytes.Contains(document[max(0, assertion):], []byte("Signature ")) {
		places = append(places, ofAssertion)
	}
	return places
}

// TestXMLSecAgrees gives to xmlsec1 what the products write and every sibling
// of the catalogue that differs from a right response.
func TestXMLSecAgrees(t *testing.T) {
	idp, err := samltest.Scene()
	if err != nil {
		t.Fatal(err)
	}
	xmlsec := newProgram(t, idp.Key())
	asked := 0
	for text, name := range accepted(t, idp) {
		document := []byte(text)
		places := signatures(document)
		if len(places) == 0 {
			t.Errorf("%s: no signature was found in it", name)
		}
		for _, place := range places {
			asked++
			if err := xmlsec.verifies(t, document, place); err != nil {
				t.Errorf("%s: xmlsec1 does not accept the signature at %s: %v", name, place, err)
			}
		}
	}
	if asked < 60 {
		t.Errorf("xmlsec1 was asked about %d signatures only", asked)
	}
	t.Logf("%d signatures", asked)
}

// accepted are documents that package saml accepts, one of each kind, with a
// name for each.
func accepted(t *testing.T, idp *samltest.IdP) map[string]string {
	t.Helper()
	metadata, err := saml.ParseMetadata(idp.Metadata())
	if err != nil {
		t.Fatal(err)
	}
	sp := &saml.ServiceProvider{EntityID: samltest.SceneSP, ACS: samltest.SceneACS, Now: samltest.SceneNow,
		IdP: saml.IdP{Name: "corp", Metadata: metadata, Audience: []string{samltest.AWSAudience, samltest.SceneSP}, Providers: []string{samltest.SceneProvider}}}
	all := map[string]string{}
	add := func(name string, spec samltest.Spec) {
		// With the same IDs, what is alike is the same document.
		if spec.ResponseID == "" && spec.AssertionID == "" {
			spec.ResponseID, spec.AssertionID = "_r", "_a"
		}
		if _, err := sp.Verify(idp.Response(spec), saml.Expect{RequestID: samltest.SceneRequest}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[string(idp.XML(spec))] = name
	}
	add("a right one", samltest.Right())
	for _, p := range samltest.Profiles() {
		if spec := samltest.Right(); p.Code == "" {
			p.Spec(&spec)
			add(p.Name, spec)
		}
	}
	for _, v := range samltest.Catalogue() {
		// What is encrypted xmlsec1 sees in the plain siblings.
		if spec, _ := v.Accepted(); v.Sibling != nil && !v.Decrypts && v.SiblingAt == 0 {
			add(v.Name, spec)
		}
	}
	return all
}

// TestXMLSecIsAsked: it refuses what was tampered with and what a stranger
// signed, so that its yes means something.
func TestXMLSecIsAsked(t *testing.T) {
	idp, err := samltest.Scene()
	if err != nil {
		t.Fatal(err)
	}
	xmlsec := newProgram(t, idp.Key())
	tampered, foreign := samltest.Right(), samltest.Right()
	tampered.AfterSigning = samltest.SetText("./Response/Assertion/Subject/NameID", "admin")
	stranger, err := samltest.NewKey(2048)
	if err != nil {
		t.Fatal(err)
	}
	foreign.AssertionSignature.Key = stranger
	for name, spec := range map[string]samltest.Spec{"tampered with": tampered, "a stranger's": foreign} {
		if xmlsec.verifies(t, idp.XML(spec), ofAssertion) == nil {
			t.Errorf("xmlsec1 accepts what is %s", name)
		}
	}
}
