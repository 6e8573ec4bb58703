package saml_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
)

// TestSentencesNameTheSetting has what people get wrong at their IdP, and the
// words that lead them to it.
func TestSentencesNameTheSetting(t *testing.T) {
	for name, c := range map[string]struct {
		spec  func(*samltest.Spec)
		code  refusal.Code
		words []string
	}{
		"I2/I10 audience": {func(s *samltest.Spec) { s.Audiences = []string{"https://other"} }, "saml_audience", []string{"https://other", samltest.AWSAudience, "audience:"}},
		"I11 template":    {func(s *samltest.Spec) { s.Audiences = []string{"{audience}"} }, "saml_audience", []string{"template", "Audience (EntityID)"}},
		"I12 http":        {func(s *samltest.Spec) { s.Recipient = "http" + strings.TrimPrefix(acs, "https") }, "saml_recipient", []string{"http and https"}},
		"I1 case":         {func(s *samltest.Spec) { s.Recipient = strings.Replace(acs, "label", "Label", 1) }, "saml_recipient", []string{"upper and lower case"}},
		"I41 console":     {func(s *samltest.Spec) { s.Recipient = "https://signin.aws.amazon.com/saml" }, "saml_recipient", []string{"catalog"}},
		"I8 NameIDPolicy": {func(s *samltest.Spec) {
			s.Status, s.SubStatus = samltest.Requester, "urn:oasis:names:tc:SAML:2.0:status:InvalidNameIDPolicy"
		}, "saml_status", []string{"Requester/InvalidNameIDPolicy", "persistent"}},
		"I40 Responder":  {func(s *samltest.Spec) { s.Status, s.StatusMessage = samltest.Responder, "no such user" }, "saml_status", []string{"Responder", "no such user", requestID, "log"}},
		"I18 SHA-1":      {func(s *samltest.Spec) { s.ResponseSignature.Method = samltest.RSASHA1 }, "saml_algorithm", []string{"SHA-256"}},
		"I19 encryption": {func(s *samltest.Spec) { s.BeforeSigning = samltest.Insert("./Response", "<saml:EncryptedAssertion/>") }, "saml_encrypted", []string{"EncryptClaims", "Encrypt assertions"}},
		"I20 no Role":    {func(s *samltest.Spec) { s.Roles = nil }, "saml_no_role", []string{samltest.RoleAttribute, "roleARN,providerARN"}},
		"I21 near miss": {func(s *samltest.Spec) {
			s.Roles, s.Attributes = nil, []samltest.Attribute{{Name: "role", Values: []string{"x"}}}
		}, "saml_no_role", []string{`"role"`, "Namespace"}},
		"I22 only the role": {func(s *samltest.Spec) { s.Roles = []string{radiology} }, "saml_role", []string{"comma"}},
		"I27 joined": {func(s *samltest.Spec) {
			s.Roles = []string{radiology + "," + provider + "," + research + "," + provider}
		}, "saml_role", []string{"AttributeValue"}},
		"another provider": {func(s *samltest.Spec) {
			s.Roles = []string{radiology + ",arn:aws:iam::111122223333:saml-provider/other"}
		}, "saml_provider", []string{radiology, "saml-provider/other"}},
		"another account": {func(s *samltest.Spec) {
			s.Roles = []string{"arn:aws:iam::999988887777:role/x,arn:aws:iam::999988887777:saml-provider/corp"}
		}, "saml_provider", []string{"999988887777"}},
		"I24 session name": {func(s *samltest.Spec) { s.SessionName = "Ada L" }, "saml_session_name", []string{"ExtractMailPrefix"}},
		"I25 duplicates":   {func(s *samltest.Spec) { s.BeforeSigning = samltest.Duplicate(attributes+"/Attribute", nil) }, "saml_duplicate_attribute", []string{"Single Role Attribute"}},
		"I38 unsolicited":  {func(s *samltest.Spec) { s.InResponseTo = "" }, "saml_unsolicited", []string{"tile", "bookmark"}},
		"I15 short lives": {func(s *samltest.Spec) {
			s.NotBefore, s.NotOnOrAfter = noon.Add(-3*time.Minute), noon.Add(-2*time.Minute)
		}, "saml_expired", []string{"Assertion Lifespan"}},
		"I14 clocks": {func(s *samltest.Spec) { s.NotBefore = noon.Add(2 * time.Minute) }, "saml_not_yet_valid", []string{"NTP", "NotBeforeSkew"}},
		"A7 Identity Center": {func(s *samltest.Spec) {
			s.Roles = []string{"arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_x," + provider}
		}, "saml_role", []string{"Identity Center"}},
		"I34 another key":       {func(s *samltest.Spec) { s.AssertionSignature.Key = newKey(t) }, "saml_certificate", []string{"SHA256:", "refresh the metadata", "?appid="}},
		"nothing is signed":     {func(s *samltest.Spec) { s.Sign = samltest.SignNothing }, "saml_unsigned", []string{"Sign assertions", "MessageAndAssertion"}},
		"ForceAuthn is ignored": {func(s *samltest.Spec) { s.AuthnInstant = noon.Add(-time.Hour) }, "saml_not_authenticated_again", []string{"Honor Force Authentication"}},
	} {
		t.Run(name, func(t *testing.T) {
			idp := newIdP(t)
			refused := refuse(t, newSP(t, idp), idp.Response(but(c.spec)), saml.Expect{RequestID: requestID, AuthenticatedSince: sinceFor(c.code)}, c.code)
			for _, word := range c.words {
				if !strings.Contains(refused.Sentence, word) {
					t.Errorf("the sentence does not say %q: %s", word, refused.Sentence)
				}
			}
		})
	}
}

func sinceFor(code refusal.Code) time.Time {
	if code == "saml_not_authenticated_again" {
		return noon
	}
	return time.Time{}
}

// TestSentencesKeepPeopleOut: no sentence shows who somebody is.
func TestSentencesKeepPeopleOut(t *testing.T) {
	const person = "ada.lovelace@example.com"
	idp := newIdP(t)
	sp := newSP(t, idp)
	for _, v := range samltest.Catalogue() {
		if strings.HasPrefix(v.Name, "identity/") {
			continue
		}
		spec, now := v.Refused()
		spec.NameID, spec.SessionName, sp.Now = person, person, at(now)
		sp.AuthnContext = v.Contexts
		if v.Code == "saml_session_name" || spec.Raw != nil {
			continue
		}
		if _, err := sp.Verify(idp.Response(spec), expecting(v)); err == nil || strings.Contains(err.Error(), person) {
			t.Errorf("%s: %v", v.Name, err)
		}
	}
}
