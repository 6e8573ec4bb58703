package samltest

import "strings"

// identityVectors are about who says it and about whom.
func identityVectors() []Vector {
	const (
		issuer  = "AB20: an assertion of another IdP"
		opaque  = "AB23: identities are opaque, and seen whole"
		pattern = "STS: RoleSessionName must match [a-zA-Z_0-9+=,.@-]{2,64} (failures facts I24)"
	)
	names := "it reports any NameID; ours end in logs and on pages"
	nameID := func(id string) func(*Spec) { return func(s *Spec) { s.NameID = id } }
	session := func(name string) func(*Spec) { return func(s *Spec) { s.SessionName = name } }
	list := []Vector{
		{Name: "another issuer", After: issuer, Code: "saml_issuer", Change: func(s *Spec) { s.Issuer = "https://evil.example.com" }},
		{Name: "an issuer in another case", After: issuer, Code: "saml_issuer", Change: func(s *Spec) { s.Issuer = strings.ToUpper(SceneEntityID) }},
		{Name: "an issuer with a slash more", After: issuer, Code: "saml_issuer", Change: func(s *Spec) { s.Issuer = SceneEntityID + "/" }},
		{Name: "an issuer and a blank", After: issuer, Code: "saml_issuer", Change: func(s *Spec) { s.Issuer = SceneEntityID + " " }},
		{Name: "an issuer of nothing", After: "GO-2026-6909 (crewjam/saml): no Issuer", Code: "saml_issuer", Change: Signing(SetText(atAssertion+"/Issuer", ""))},
		{Name: "another issuer of the response", After: issuer, Code: "saml_issuer", Change: Signing(SetText(atResponse+"/Issuer", "https://evil.example.com"))},
		{Name: "another issuer of the response, unsigned", After: issuer, Code: "saml_issuer", Sibling: assertionSigned, Change: Tampering(SetText(atResponse+"/Issuer", "https://evil.example.com"))},
		{Name: "another issuer of the assertion", After: issuer, Code: "saml_issuer", Change: Signing(SetText(atAssertion+"/Issuer", "https://evil.example.com"))},
		{Name: "an empty NameID", After: opaque, Code: "saml_name_id", Change: Signing(SetText(atNameID, ""))},
		{Name: "a NameID and a blank", After: opaque, Code: "saml_name_id", Change: nameID("admin ")},
		{Name: "a blank and a NameID", After: opaque, Code: "saml_name_id", Change: nameID(" admin")},
		{Name: "a NameID of two lines", After: opaque, Code: "saml_name_id", Change: nameID("admin\nevil"), STS: names},
		{Name: "a NameID with a tabulator", After: opaque, Code: "saml_name_id", Change: nameID("admin\tevil"), STS: names},
		{Name: "a NameID with a carriage return", After: "protocol facts: two readers of &#13;", Code: "saml_name_id", Change: nameID("admin\revil"), STS: names},
		{Name: "a NameID from right to left", After: "Trojan Source (CVE-2021-42574)", Code: "saml_name_id", Change: nameID("a\u202eb"), STS: names},
		{Name: "a NameID with a sign of no width", After: opaque, Code: "saml_name_id", Change: nameID("ad\u200bmin"), STS: names},
		{Name: "a NameID of 257 characters", After: "SAML core §8.3.7: at most 256", Code: "saml_name_id", Sibling: nameID(strings.Repeat("a", 256)), Change: nameID(strings.Repeat("a", 257)), STS: names},
		{Name: "a NameID's format of 257", After: "SAML core §8.3.7: at most 256", Code: "saml_name_id", Sibling: func(s *Spec) { s.NameIDFormat = strings.Repeat("a", 256) }, Change: func(s *Spec) { s.NameIDFormat = strings.Repeat("a", 257) }, STS: names},
		{Name: "no session name", After: pattern, Code: "saml_session_name", Change: session(Absent)},
		{Name: "a session name in another case", After: "Names of attributes count to the letter (failures facts I21)", Code: "saml_session_name", Change: func(s *Spec) {
			s.SessionName, s.Attributes = Absent, []Attribute{{Name: strings.ToLower(SessionNameAttribute), Values: []string{"ada"}}}
		}},
		{Name: "two session names", After: pattern, Code: "saml_session_name", Change: Signing(Insert(atSessionName, "<saml:AttributeValue>eve</saml:AttributeValue>"))},
		{Name: "a session name of no value", After: pattern, Code: "saml_session_name", Change: Signing(Remove(atSessionName + "/AttributeValue"))},
	}
	for _, odd := range []struct{ name, value string }{
		{"one letter", "a"}, {"65 letters", strings.Repeat("a", 65)}, {"a display name", "Ada Lövelace"}, {"a guest of Entra's", "ada_x.com#EXT#@y.onmicrosoft.com"},
		{"a line break behind", "ada\n"}, {"a blank behind", "ada "}, {"a path", "../ada"}, {"a colon", "ada:eve"}, {"a star", "ad*"}, {"letters of another script", "аdа"},
	} {
		sibling := session("ada@example.com")
		if odd.name == "65 letters" {
			sibling = session(strings.Repeat("a", 64))
		}
		list = append(list, Vector{Name: "a session name: " + odd.name, After: pattern, Code: "saml_session_name", Sibling: sibling, Change: session(odd.value)})
	}
	return list
}
