package saml_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
)

// TestClocks has both sides of every edge in time.
func TestClocks(t *testing.T) {
	const ms = time.Millisecond
	minute := time.Minute
	for name, c := range map[string]struct {
		spec   func(*samltest.Spec)
		expect saml.Expect
		now    time.Duration
		code   refusal.Code
	}{
		"NotBefore 60 s ahead":     {spec: func(s *samltest.Spec) { s.NotBefore = noon.Add(minute) }},
		"NotBefore 60.001 s ahead": {spec: func(s *samltest.Spec) { s.NotBefore = noon.Add(minute + ms) }, code: "saml_not_yet_valid"},
		"conditions ended 59.999 s ago": {spec: func(s *samltest.Spec) {
			s.NotOnOrAfter, s.ConfirmationNotOnOrAfter = noon.Add(ms-minute), noon.Add(minute)
		}},
		"conditions ended 60 s ago": {spec: func(s *samltest.Spec) {
			s.NotOnOrAfter, s.ConfirmationNotOnOrAfter = noon.Add(-minute), noon.Add(minute)
		}, code: "saml_expired"},
		"confirmation ended 59.999 s ago":   {spec: func(s *samltest.Spec) { s.ConfirmationNotOnOrAfter = noon.Add(ms - minute) }},
		"confirmation ended 60 s ago":       {spec: func(s *samltest.Spec) { s.ConfirmationNotOnOrAfter = noon.Add(-minute) }, code: "saml_expired"},
		"both ended 59.999 s ago":           {spec: func(s *samltest.Spec) { s.NotBefore, s.NotOnOrAfter = noon.Add(-2*minute), noon.Add(ms-minute) }},
		"everything ended long ago":         {now: time.Hour, code: "saml_expired"},
		"issued 5 min ago":                  {now: 5 * minute},
		"issued 5 min and 1 ms ago":         {now: 5*minute + ms, code: "saml_too_old"},
		"issued 60 s ahead":                 {now: -minute},
		"issued 60.001 s ahead":             {now: -minute - ms, code: "saml_issued_in_future"},
		"authenticated 60 s ahead":          {spec: func(s *samltest.Spec) { s.AuthnInstant = noon.Add(minute) }},
		"authenticated 60.001 s ahead":      {spec: func(s *samltest.Spec) { s.AuthnInstant = noon.Add(minute + ms) }, code: "saml_authn_instant"},
		"authenticated a month ago":         {spec: func(s *samltest.Spec) { s.AuthnInstant = noon.AddDate(0, -1, 0) }},
		"asked again, answered in time":     {expect: saml.Expect{RequestID: requestID, AuthenticatedSince: noon}, spec: func(s *samltest.Spec) { s.AuthnInstant = noon.Add(-minute) }},
		"asked again, answered too early":   {expect: saml.Expect{RequestID: requestID, AuthenticatedSince: noon}, spec: func(s *samltest.Spec) { s.AuthnInstant = noon.Add(-minute - ms) }, code: "saml_not_authenticated_again"},
		"the IdP's session ends in 1 ms":    {spec: func(s *samltest.Spec) { s.SessionNotOnOrAfter = noon.Add(ms) }},
		"the IdP's session ends now":        {spec: func(s *samltest.Spec) { s.SessionNotOnOrAfter = noon }, code: "saml_session_over"},
		"any request, and one is named":     {expect: saml.Expect{AnyRequest: true}},
		"any request, and none is named":    {expect: saml.Expect{AnyRequest: true}, spec: func(s *samltest.Spec) { s.InResponseTo = "" }, code: "saml_unsolicited"},
		"nobody waits":                      {expect: saml.Expect{AuthenticatedSince: noon}, code: "saml_in_response_to"},
		"any request, but another expected": {expect: saml.Expect{AnyRequest: true, RequestID: "id-another"}, code: "saml_in_response_to"},
	} {
		t.Run(name, func(t *testing.T) {
			idp := newIdP(t)
			spec, expect := right(), c.expect
			if c.spec != nil {
				c.spec(&spec)
			}
			if expect == (saml.Expect{}) {
				expect = expected
			}
			if spec.NotBefore.IsZero() {
				spec.NotBefore = noon.Add(-2 * time.Minute)
			}
			if name == "issued 5 min ago" || name == "issued 5 min and 1 ms ago" {
				spec.NotOnOrAfter = noon.Add(time.Hour)
			}
			sp := newSP(t, idp)
			sp.Now = at(noon.Add(c.now))
			encoded := idp.Response(spec)
			if c.code == "" {
				accept(t, sp, encoded, expect)
			} else {
				refuse(t, sp, encoded, expect, c.code)
			}
		})
	}
}

// TestUsableUntil: the caller's memory of used assertions lasts exactly as
// long as Verify would take one again.
func TestUsableUntil(t *testing.T) {
	for name, lifetime := range map[string]time.Duration{"short": time.Minute, "long": time.Hour} {
		t.Run(name, func(t *testing.T) {
			idp := newIdP(t)
			sp := newSP(t, idp)
			encoded := idp.Response(but(func(s *samltest.Spec) { s.NotOnOrAfter = noon.Add(lifetime) }))
			until := sp.UsableUntil(accept(t, sp, encoded, expected))
			sp.Now = at(until.Add(-time.Millisecond))
			accept(t, sp, encoded, expected)
			sp.Now = at(until.Add(time.Millisecond))
			refuse(t, sp, encoded, expected, "saml_expired", "saml_too_old")
		})
	}
}

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

// TestClasses: what cannot be read is Malformed, what is not believed is
// Forbidden.
func TestClasses(t *testing.T) {
	for _, c := range []struct {
		spec  samltest.Spec
		class refusal.Class
	}{
		{raw(before("<!DOCTYPE r>")), refusal.Malformed},
		{signing(samltest.Duplicate(subject, nil)), refusal.Malformed},
		{but(func(s *samltest.Spec) { s.Audiences = []string{"x"} }), refusal.Forbidden},
		{tampering(samltest.SetText(subject+"/NameID", "admin")), refusal.Forbidden},
	} {
		idp := newIdP(t)
		_, err := newSP(t, idp).Verify(idp.Response(c.spec), expected)
		if refused, ok := err.(*refusal.Refusal); !ok || refused.Class != c.class {
			t.Errorf("%v is not of class %v", err, c.class)
		}
	}
}

// TestHalfAConfiguration refuses everything, and says what is missing.
func TestHalfAConfiguration(t *testing.T) {
	for missing, remove := range map[string]func(*saml.ServiceProvider){
		"audience":   func(sp *saml.ServiceProvider) { sp.IdP.Audience = nil },
		"providers":  func(sp *saml.ServiceProvider) { sp.IdP.Providers = nil },
		"metadata":   func(sp *saml.ServiceProvider) { sp.IdP.Metadata = nil },
		"public_url": func(sp *saml.ServiceProvider) { sp.ACS = "" },
		"entity_id":  func(sp *saml.ServiceProvider) { sp.EntityID = "" },
	} {
		t.Run(missing, func(t *testing.T) {
			idp := newIdP(t)
			sp := newSP(t, idp)
			remove(sp)
			if refused := refuse(t, sp, idp.Response(right()), expected, "saml_configuration"); !strings.Contains(refused.Sentence, missing) {
				t.Errorf("the sentence does not say %q: %s", missing, refused.Sentence)
			}
			if _, _, err := sp.AuthnRequest(saml.AuthnRequestOptions{}); err == nil {
				t.Error("a request was made all the same")
			}
		})
	}
}

// TestAnyProvider is for looking at an assertion without a list of providers.
func TestAnyProvider(t *testing.T) {
	idp := newIdP(t)
	sp := newSP(t, idp)
	sp.IdP.Providers, sp.IdP.AnyProvider = nil, true
	other := saml.Role{ARN: "arn:aws:iam::999988887777:role/x", Provider: "arn:aws:iam::999988887777:saml-provider/y"}
	a := accept(t, sp, idp.Response(but(func(s *samltest.Spec) { s.Roles = append(s.Roles, other.ARN+","+other.Provider) })), expected)
	if len(a.Roles) != 2 || a.Roles[1] != other {
		t.Errorf("roles %v", a.Roles)
	}
}

// TestStaleMetadata: metadata that says it is over is not used.
func TestStaleMetadata(t *testing.T) {
	idp := newIdP(t)
	sp := newSP(t, idp)
	sp.IdP.Metadata.ValidUntil = noon
	refuse(t, sp, idp.Response(right()), expected, "saml_metadata_expired")
	if _, _, err := sp.AuthnRequest(saml.AuthnRequestOptions{}); err == nil {
		t.Error("a request was made all the same")
	}
	sp.IdP.Metadata.ValidUntil = noon.Add(time.Second)
	accept(t, sp, idp.Response(right()), expected)
}

// TestStrangersCostNoSignature: what answers no login of ours is refused for
// that, before anybody looks at its signature.
func TestStrangersCostNoSignature(t *testing.T) {
	broken := samltest.SetText("./Response/Signature/SignatureValue", "AAAA")
	one(t, but(func(s *samltest.Spec) { s.InResponseTo, s.AfterSigning = "", broken }), "saml_unsolicited")
	one(t, but(func(s *samltest.Spec) { s.InResponseTo, s.AfterSigning = "id-another", broken }), "saml_in_response_to")
}

// TestReadersMustAgree changes each thing that a response says and has the
// comparison of the two readers see it.
func TestReadersMustAgree(t *testing.T) {
	idp := newIdP(t)
	fixed := func(s *samltest.Spec) { s.ResponseID, s.AssertionID = "_r", "_a" }
	base := idp.XML(but(fixed))
	if refused := saml.Agree(base, base); refused != nil {
		t.Fatal(refused)
	}
	for name, change := range map[string]func(*samltest.Spec){
		"NameID":        func(s *samltest.Spec) { s.NameID = "admin" },
		"format":        func(s *samltest.Spec) { s.NameIDFormat = "urn:x" },
		"role":          func(s *samltest.Spec) { s.Roles = []string{research + "," + provider} },
		"one more role": func(s *samltest.Spec) { s.Roles = append(s.Roles, research+","+provider) },
		"session name":  func(s *samltest.Spec) { s.SessionName = "eve" },
		"audience":      func(s *samltest.Spec) { s.Audiences = []string{"x"} },
		"recipient":     func(s *samltest.Spec) { s.Recipient = "https://x" },
		"destination":   func(s *samltest.Spec) { s.Destination = "https://x" },
		"request":       func(s *samltest.Spec) { s.InResponseTo = "id-x" },
		"issuer":        func(s *samltest.Spec) { s.Issuer = "https://x" },
		"assertion":     func(s *samltest.Spec) { s.AssertionID = "_x" },
		"response":      func(s *samltest.Spec) { s.ResponseID = "_x" },
		"issued":        func(s *samltest.Spec) { s.IssueInstant, s.NotBefore = noon.Add(time.Second), noon },
		"begin":         func(s *samltest.Spec) { s.NotBefore = noon.Add(time.Second) },
		"end": func(s *samltest.Spec) {
			s.NotOnOrAfter, s.ConfirmationNotOnOrAfter = noon.Add(time.Hour), noon.Add(5*time.Minute)
		},
		"confirmation":  func(s *samltest.Spec) { s.ConfirmationNotOnOrAfter = noon.Add(time.Hour) },
		"authenticated": func(s *samltest.Spec) { s.AuthnInstant = noon.Add(time.Second) },
		"session":       func(s *samltest.Spec) { s.SessionNotOnOrAfter = noon.Add(time.Hour) },
	} {
		other := idp.XML(but(func(s *samltest.Spec) { fixed(s); change(s) }))
		if refused := saml.Agree(base, other); refused == nil || refused.Code != "saml_readers_differ" {
			t.Errorf("%s: %v", name, refused)
		}
	}
}

// TestRequestID finds the request before anything is verified, and tells the
// unsolicited apart.
func TestRequestID(t *testing.T) {
	idp := newIdP(t)
	if id, err := saml.RequestID(idp.Response(right())); err != nil || id != requestID {
		t.Errorf("%q, %v", id, err)
	}
	for code, spec := range map[refusal.Code]samltest.Spec{
		"saml_unsolicited":    but(func(s *samltest.Spec) { s.InResponseTo = "" }),
		"saml_in_response_to": tampering(samltest.SetAttr("./Response", "InResponseTo", "id-another")),
		"saml_doctype":        raw(before("<!DOCTYPE r>")),
	} {
		_, err := saml.RequestID(idp.Response(spec))
		if refused, ok := err.(*refusal.Refusal); !ok || refused.Code != code {
			t.Errorf("%v; want %s", err, code)
		}
	}
}

// TestManyValues: what fits is read whole, what does not is refused early.
func TestManyValues(t *testing.T) {
	idp := newIdP(t)
	sp := newSP(t, idp)
	groups := func(n int) samltest.Spec {
		return but(func(s *samltest.Spec) {
			s.Attributes = []samltest.Attribute{{Name: "groups", Values: slices.Repeat([]string{"g"}, n)}}
		})
	}
	if a := accept(t, sp, idp.Response(groups(430)), expected); len(a.Attributes["groups"]) != 430 {
		t.Errorf("read %d groups", len(a.Attributes["groups"]))
	}
	for _, n := range []int{470, 510, 1100} {
		refuse(t, sp, idp.Response(groups(n)), expected, "saml_elements", "saml_too_large")
	}
}

// TestConcurrently: one ServiceProvider serves many logins at once.
func TestConcurrently(t *testing.T) {
	idp := newIdP(t)
	sp := newSP(t, idp)
	fine, forged := idp.Response(right()), idp.Response(tampering(samltest.SetText(subject+"/NameID", "admin")))
	done := make(chan error)
	for range 4 {
		go func() {
			for range 5 {
				if _, err := sp.Verify(fine, expected); err != nil {
					done <- err
					return
				}
				if _, err := sp.Verify(forged, expected); err == nil {
					done <- refusal.New(refusal.Forbidden, "test", "a forgery was accepted")
					return
				}
			}
			done <- nil
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
