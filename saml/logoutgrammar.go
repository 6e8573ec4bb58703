package saml

import (
	"github.com/rolepass/rolepass/refusal"
)

// logoutGrammar is the language of logout messages (SAML core §3.7), as far as
// it is not that of responses.
var logoutGrammar = language{
	samlp("LogoutRequest"): {attrs: []string{"ID", "Version", "IssueInstant", "Destination"}, children: []part{
		{saml("Issuer"), 1, 1, "saml_issuer"}, {ds("Signature"), 0, 1, "saml_signature_place"},
		{saml("NameID"), 1, 1, "saml_name_id"}, {samlp("SessionIndex"), 0, 64, "saml_structure"}}},
	samlp("SessionIndex"): {text: true},
	samlp("LogoutResponse"): {attrs: []string{"ID", "Version", "IssueInstant", "Destination"}, children: []part{
		{saml("Issuer"), 1, 1, "saml_issuer"}, {ds("Signature"), 0, 1, "saml_signature_place"}, {samlp("Status"), 1, 1, "saml_status"}}},
}

// followsLogout checks a logout message against both grammars.
func followsLogout(root *element) *refusal.Refusal {
	if refused := logoutGrammar[root.name].check(root); refused != nil {
		return refused
	}
	for _, child := range root.children {
		check := grammar.follows
		if rule, ours := logoutGrammar[child.name]; ours {
			check = rule.check
		}
		if refused := check(child); refused != nil {
			return refused
		}
	}
	return nil
}
