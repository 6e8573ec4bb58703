package samltest

import "strings"

// audienceVectors are for somebody else, or nearly for us.
func audienceVectors() []Vector {
	var list []Vector
	const stsDestination = "it does not read Destination"
	for _, odd := range []struct{ name, url string }{
		{"elsewhere", "https://evil.example.com/rolepass/saml/acs"},
		{"a slash more", SceneACS + "/"},
		{"a slash less", strings.TrimSuffix(SceneACS, "/acs")},
		{"http", "http" + strings.TrimPrefix(SceneACS, "https")},
		{"another case", strings.Replace(SceneACS, "label", "Label", 1)},
		{"a path in another case", strings.Replace(SceneACS, "acs", "ACS", 1)},
		{"a port", strings.Replace(SceneACS, ".com/", ".com:443/", 1)},
		{"a query", SceneACS + "?a=b"},
		{"a fragment", SceneACS + "#a"},
		{"a person before the host", strings.Replace(SceneACS, "https://", "https://label.example.com@", 1)},
		{"a longer host", strings.Replace(SceneACS, ".com/", ".com.evil.example/", 1)},
		{"a dot behind the host", strings.Replace(SceneACS, ".com/", ".com./", 1)},
		{"an encoded letter", strings.Replace(SceneACS, "/acs", "/%61cs", 1)},
		{"a blank behind", SceneACS + " "},
		{"a line break behind", SceneACS + "\n"},
		{"our entity ID", SceneSP},
	} {
		list = append(list,
			Vector{Name: "Recipient: " + odd.name, After: "SAML profiles §4.1.4.3; CVE-2026-40574 family: nearly equal is not equal", Code: "saml_recipient", Change: func(s *Spec) { s.Recipient = odd.url }},
			Vector{Name: "Destination: " + odd.name, After: "SAML bindings §3.5.5.2; a slash in the ACS (failures facts I12)", Code: "saml_destination", Change: func(s *Spec) { s.Destination = odd.url }, STS: stsDestination},
		)
	}
	for _, odd := range []struct{ name, value, sts string }{
		{"another", "https://elsewhere.example.com", ""},
		{"AWS's console", "https://signin.aws.amazon.com/saml", ""},
		{"a slash more", SceneSP + "/", ""},
		{"another case", strings.ToUpper(AWSAudience), ""},
		{"a template", "{audience}", ""},
		{"two in one", AWSAudience + " " + SceneSP, ""},
		{"a blank behind", AWSAudience + " ", ""},
		{"of GovCloud", AWSAudience + ":govcloud", ""},
		{"of Entra, with its suffix", AWSAudience + "#1", ""},
	} {
		list = append(list, Vector{Name: "Audience: " + odd.name, After: "protocol facts: NotInAudience is a warning only (gosaml2)", Code: "saml_audience", Change: func(s *Spec) { s.Audiences = []string{odd.value} }, STS: odd.sts})
	}
	return append(list,
		Vector{Name: "Audience: nothing", After: "An Audience that was never filled in", Code: "saml_audience", Change: Signing(SetText(atRestriction+"/Audience", ""))},
		Vector{Name: "no AudienceRestriction, response signed", After: "protocol facts: accepted without a warning (gosaml2)", Code: "saml_audience_restriction", Sibling: responseSigned, Change: func(s *Spec) { s.Audiences = []string{} }},
		Vector{Name: "Recipient: AWS's console", After: "An assertion for the console (failures facts I41)", Code: "saml_recipient", Change: func(s *Spec) { s.Recipient = "https://signin.aws.amazon.com/saml" }},
		Vector{Name: "no Destination in a signed response", After: "protocol facts: accepted (gosaml2)", Code: "saml_destination", Sibling: responseSigned, Change: func(s *Spec) { s.Destination = Absent }, STS: stsDestination},
		Vector{Name: "Destination: elsewhere, unsigned", After: "SAML bindings §3.5.5.2", Code: "saml_destination", Sibling: assertionSigned, Change: func(s *Spec) { s.Destination = "https://evil.example.com/acs" }, STS: stsDestination},
	)
}
