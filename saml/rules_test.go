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
			if _, err := sp.AuthnRequest(saml.AuthnRequestOptions{}); err == nil {
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
	if _, err := sp.AuthnRequest(saml.AuthnRequestOptions{}); err == nil {
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
