package saml_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
)

const (
	acs       = "https://label.example.com/rolepass/saml/acs"
	idpID     = "https://idp.example.com/saml"
	requestID = "id-0123456789abcdef"
	radiology = "arn:aws:iam::111122223333:role/radiology"
	research  = "arn:aws:iam::111122223333:role/team/research"
	provider  = "arn:aws:iam::111122223333:saml-provider/corp"
)

// noon is when all tests happen.
var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

// newIdP is an IdP with the entity ID that the tests trust.
func newIdP(t testing.TB) *samltest.IdP {
	t.Helper()
	return newIdPWith(t, samltest.Options{})
}

func newIdPWith(t testing.TB, options samltest.Options) *samltest.IdP {
	t.Helper()
	options.EntityID, options.SSOURL, options.Now = idpID, "https://idp.example.com/sso", at(noon)
	idp, err := samltest.New(options)
	if err != nil {
		t.Fatal(err)
	}
	return idp
}

// newSP trusts that IdP.
func newSP(t testing.TB, idp *samltest.IdP) *saml.ServiceProvider {
	t.Helper()
	metadata, err := saml.ParseMetadata(idp.Metadata())
	if err != nil {
		t.Fatal(err)
	}
	return &saml.ServiceProvider{
		EntityID: samltest.AWSAudience,
		ACS:      acs,
		IdP: saml.IdP{
			Name:      "corp",
			Metadata:  metadata,
			Audience:  []string{samltest.AWSAudience, "https://label.example.com/rolepass"},
			Providers: []string{provider},
		},
		Now: at(noon),
	}
}

var expected = saml.Expect{RequestID: requestID}

// right is a response in which nothing is wrong.
func right() samltest.Spec {
	return samltest.Spec{ACS: acs, InResponseTo: requestID, Roles: []string{radiology + "," + provider}}
}

// but is a right response in which one thing is changed.
func but(change func(*samltest.Spec)) samltest.Spec {
	spec := right()
	change(&spec)
	return spec
}

func accept(t *testing.T, sp *saml.ServiceProvider, encoded string, expect saml.Expect) *saml.Assertion {
	t.Helper()
	assertion, err := sp.Verify(encoded, expect)
	if err != nil {
		t.Fatalf("refused: %v (cause: %v)", err, errors.Unwrap(err))
	}
	return assertion
}

// refuse wants one of the codes, and a sentence without leftovers.
func refuse(t *testing.T, sp *saml.ServiceProvider, encoded string, expect saml.Expect, codes ...refusal.Code) *refusal.Refusal {
	t.Helper()
	assertion, err := sp.Verify(encoded, expect)
	if err == nil {
		t.Fatalf("accepted %+v; want it refused with %q", assertion.Principal.NameID, codes)
	}
	if assertion != nil {
		t.Fatal("an assertion came with the refusal")
	}
	refused, ok := errors.AsType[*refusal.Refusal](err)
	if !ok {
		t.Fatalf("the error is a %T", err)
	}
	if !slices.Contains(codes, refused.Code) {
		t.Fatalf("refused with %s (%v); want %q", refused, refused.Cause, codes)
	}
	if refused.Sentence == "" || bytes.Contains([]byte(refused.Sentence), []byte("%!")) {
		t.Fatalf("the sentence is %q", refused.Sentence)
	}
	return refused
}

// one is a test of one spec: refused with that code.
func one(t *testing.T, spec samltest.Spec, code refusal.Code) *refusal.Refusal {
	t.Helper()
	idp := newIdP(t)
	return refuse(t, newSP(t, idp), idp.Response(spec), expected, code)
}

func base64Of(document string) string {
	return base64.StdEncoding.EncodeToString([]byte(document))
}
