package samltest

import "time"

const ms = time.Millisecond

func instants(change func(s *Spec, noon time.Time)) func(*Spec) {
	return func(s *Spec) { change(s, SceneNow()) }
}

// timeVectors stand one millisecond over each edge; their siblings stand at
// it. The skew is a minute, the age five.
func timeVectors() []Vector {
	const (
		replay = "SAML profiles §4.1.4.3: how long an assertion may be used"
		skew   = "threats facts P3: clocks that differ by more than the skew"
		format = "SAML core §1.3.3: xs:dateTime in UTC"
		longer = "its five minutes are AWS's, and an end is never stretched there"
	)
	minute := time.Minute
	early := func(s *Spec, noon time.Time) { s.NotBefore = noon.Add(-10 * minute) }
	ends := func(conditions, confirmation time.Duration) func(*Spec) {
		return instants(func(s *Spec, noon time.Time) {
			early(s, noon)
			s.NotOnOrAfter, s.ConfirmationNotOnOrAfter = noon.Add(conditions), noon.Add(confirmation)
		})
	}
	begins := func(d time.Duration) func(*Spec) {
		return instants(func(s *Spec, noon time.Time) { s.NotBefore = noon.Add(d) })
	}
	endsAt := func(d time.Duration) func(*Spec) {
		return instants(func(s *Spec, noon time.Time) { s.NotOnOrAfter = noon.Add(d) })
	}
	lives := ends(time.Hour, time.Hour)
	list := []Vector{
		{Name: "NotBefore 60.001 s ahead", After: skew, Code: "saml_not_yet_valid", Sibling: begins(minute), Change: begins(minute + ms)},
		{Name: "the conditions ended 60 s ago", After: replay, Code: "saml_expired", Sibling: ends(ms-minute, minute), Change: ends(-minute, minute), STSSibling: longer},
		{Name: "the confirmation ended 60 s ago", After: replay, Code: "saml_expired", Sibling: ends(minute, ms-minute), Change: ends(minute, -minute), STSSibling: longer},
		{Name: "both ended 60 s ago", After: replay, Code: "saml_expired", Sibling: ends(ms-minute, ms-minute), Change: ends(-minute, -minute), STSSibling: longer},
		{Name: "arrived when it had ended", After: replay, Code: "saml_expired", Sibling: ends(minute, minute), SiblingAt: 2*minute - ms, Late: ms, STSSibling: longer},
		{Name: "arrived a year later", After: "CVE-2016-5697 family: an old response taken again", Code: "saml_expired", Late: 365 * 24 * time.Hour},
		{Name: "issued five minutes and 1 ms ago", After: "STS: redeemed within five minutes of issuance", Code: "saml_too_old", Sibling: lives, SiblingAt: 5 * minute, Late: ms},
		{Name: "issued 60.001 s ahead", After: skew, Code: "saml_issued_in_future", Sibling: lives, SiblingAt: -minute, Late: -ms},
		{Name: "the assertion issued 60.001 s ahead", After: skew, Code: "saml_issued_in_future", Sibling: Signing(SetAttr(atAssertion, "IssueInstant", "2026-03-14T12:01:00Z")), Change: Signing(SetAttr(atAssertion, "IssueInstant", "2026-03-14T12:01:00.001Z")), STS: "it judges by the earlier IssueInstant, which is now"},
		{Name: "the response issued 60.001 s ahead", After: skew, Code: "saml_issued_in_future", Sibling: Signing(SetAttr(atResponse, "IssueInstant", "2026-03-14T12:01:00Z")), Change: Signing(SetAttr(atResponse, "IssueInstant", "2026-03-14T12:01:00.001Z")), STS: "it judges by the earlier IssueInstant, which is now"},
		{Name: "the assertion issued five minutes ago and 1 ms", After: "STS: redeemed within five minutes of issuance", Code: "saml_too_old", Sibling: all(lives, Signing(SetAttr(atAssertion, "IssueInstant", "2026-03-14T11:55:00Z"))), Change: Signing(SetAttr(atAssertion, "IssueInstant", "2026-03-14T11:54:59.999Z"))},
		{Name: "the response issued five minutes ago and 1 ms", After: "STS: redeemed within five minutes of issuance", Code: "saml_too_old", Sibling: all(lives, Signing(SetAttr(atResponse, "IssueInstant", "2026-03-14T11:55:00Z"))), Change: Signing(SetAttr(atResponse, "IssueInstant", "2026-03-14T11:54:59.999Z"))},
		{Name: "authenticated 60.001 s ahead", After: skew, Code: "saml_authn_instant", Sibling: instants(func(s *Spec, noon time.Time) { s.AuthnInstant = noon.Add(minute) }), Change: instants(func(s *Spec, noon time.Time) { s.AuthnInstant = noon.Add(minute + ms) }), STS: "it does not read AuthnInstant"},
		{Name: "not authenticated anew", After: "ForceAuthn ignored (Okta: Honor Force Authentication)", Code: "saml_not_authenticated_again", Anew: true, Sibling: instants(func(s *Spec, noon time.Time) { s.AuthnInstant = noon.Add(-minute) }), Change: instants(func(s *Spec, noon time.Time) { s.AuthnInstant = noon.Add(-minute - ms) }), STS: "it knows of no login that asked"},
		{Name: "authenticated a day ago, though anew was asked", After: "ForceAuthn ignored (Okta: Honor Force Authentication)", Code: "saml_not_authenticated_again", Anew: true, Change: instants(func(s *Spec, noon time.Time) { s.AuthnInstant = noon.AddDate(0, 0, -1) }), STS: "it knows of no login that asked"},
		{Name: "the IdP's session ends now", After: "protocol facts: SessionNotOnOrAfter is reported only (gosaml2)", Code: "saml_session_over", Sibling: instants(func(s *Spec, noon time.Time) { s.SessionNotOnOrAfter = noon.Add(time.Hour) }), Change: instants(func(s *Spec, noon time.Time) { s.SessionNotOnOrAfter = noon })},
		{Name: "ends where it begins", After: "A validity of no moment", Code: "saml_conditions", Sibling: instants(func(s *Spec, noon time.Time) { s.NotOnOrAfter = noon.Add(ms) }), Change: instants(func(s *Spec, noon time.Time) { s.NotOnOrAfter = noon })},
		{Name: "ends where it begins, in half a minute", After: "A validity of no moment; gosaml2 takes the last moment", Code: "saml_conditions", Sibling: all(begins(minute/2), endsAt(minute/2+ms)), Change: endsAt(minute / 2), STS: "its skew finds a moment in it"},
		{Name: "the confirmation ends before it begins", After: "A validity of no moment", Code: "saml_conditions", Change: instants(func(s *Spec, noon time.Time) { s.ConfirmationNotOnOrAfter = noon.Add(-time.Second) })},
	}
	for _, place := range []struct{ path, attr string }{{atAssertion, "IssueInstant"}, {atResponse, "IssueInstant"}, {atConditions, "NotBefore"}, {atConditions, "NotOnOrAfter"}, {atData, "NotOnOrAfter"}, {atAuthn, "AuthnInstant"}} {
		sts := ""
		if place.attr == "AuthnInstant" {
			sts = "it does not read AuthnInstant"
		}
		for _, odd := range []struct{ name, value string }{{"a word", "yesterday"}, {"no zone", "2026-03-14T12:00:01"}} {
			list = append(list, Vector{Name: odd.name + " for " + place.attr + " of " + last(place.path), After: format, Code: "saml_time", Change: Signing(SetAttr(place.path, place.attr, odd.value)), STS: sts})
		}
	}
	return append(list,
		Vector{Name: "nothing for SessionNotOnOrAfter", After: format, Code: "saml_time", Change: Signing(SetAttr(atAuthn, "SessionNotOnOrAfter", ""))},
		Vector{Name: "the year 0", After: format, Code: "saml_time", Change: Signing(SetAttr(atAuthn, "AuthnInstant", "0001-01-01T00:00:00Z")), STS: "it does not read AuthnInstant"},
		Vector{Name: "authenticated in 1969", After: format, Code: "saml_time", Sibling: Signing(SetAttr(atAuthn, "AuthnInstant", "1970-01-01T00:00:00Z")), Change: Signing(SetAttr(atAuthn, "AuthnInstant", "1969-12-31T23:59:59Z")), STS: "it does not read AuthnInstant"},
		Vector{Name: "the year 10000", After: format, Code: "saml_time", Change: Signing(SetAttr(atConditions, "NotOnOrAfter", "10000-01-01T00:00:00Z"))},
		Vector{Name: "a blank behind a time", After: format, Code: "saml_time", Change: Signing(SetAttr(atConditions, "NotOnOrAfter", "2026-03-14T12:05:00Z "))},
		Vector{Name: "the 30th of February", After: format, Code: "saml_time", Change: Signing(SetAttr(atConditions, "NotBefore", "2026-02-30T12:00:00Z"))},
		Vector{Name: "seconds since 1970", After: format, Code: "saml_time", Change: Signing(SetAttr(atConditions, "NotOnOrAfter", "1773489900"))},
	)
}
