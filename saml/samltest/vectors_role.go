package samltest

import "strings"

// roleVectors inject roles: each has one value of the attribute Role, which
// is nearly a pair that this IdP may grant.
func roleVectors() []Vector {
	const (
		pair    = "AB22: exact pairs only"
		foreign = "AB22: a foreign account or provider"
		split   = "An IdP that joins a list by commas (failures facts I27)"
	)
	account := func(number string) string {
		return strings.ReplaceAll(SceneRole+","+SceneProvider, "111122223333", number)
	}
	list := []Vector{
		{Name: "none", After: "Roles that were never mapped (failures facts I20)", Code: "saml_no_role", Change: func(s *Spec) { s.Roles = nil }},
		{Name: "an attribute of no value", After: "Roles that were never mapped (failures facts I20)", Code: "saml_no_role", Change: Signing(Remove(atRole + "/AttributeValue"))},
		{Name: "the attribute's name in another case", After: "Names of attributes count to the letter (failures facts I21)", Code: "saml_no_role", Change: func(s *Spec) {
			s.Roles, s.Attributes = nil, []Attribute{{Name: strings.ToLower(RoleAttribute), Values: s.Roles}}
		}},
		{Name: "the attribute's name with a blank", After: "Names of attributes count to the letter (failures facts I21)", Code: "saml_no_role", Change: Signing(SetAttr(atRole, "Name", RoleAttribute+" "))},
		{Name: "the attribute's friendly name only", After: "Names of attributes count to the letter (failures facts I21)", Code: "saml_no_role", Change: Signing(SetAttr(atRole, "FriendlyName", RoleAttribute), SetAttr(atRole, "Name", "role"))},
	}
	for _, odd := range []struct{ name, after, code, value string }{
		{"only the role", "Half a pair (failures facts I22)", "saml_role", SceneRole},
		{"only the provider", "Half a pair (failures facts I22)", "saml_role", SceneProvider},
		{"the role twice", pair, "saml_role", SceneRole + "," + SceneRole},
		{"the provider twice", pair, "saml_role", SceneProvider + "," + SceneProvider},
		{"two pairs in one value", split, "saml_role", SceneRole + "," + SceneProvider + "," + SceneOtherRole + "," + SceneProvider},
		{"a comma behind", split, "saml_role", SceneRole + "," + SceneProvider + ","},
		{"a comma in front", split, "saml_role", "," + SceneRole + "," + SceneProvider},
		{"a semicolon", split, "saml_role", SceneRole + ";" + SceneProvider},
		{"a line break between", pair, "saml_role", SceneRole + ",\n" + SceneProvider},
		{"a line break behind", pair, "saml_role", SceneRole + "," + SceneProvider + "\n"},
		{"a tabulator", pair, "saml_role", SceneRole + ",\t" + SceneProvider},
		{"a carriage return", pair, "saml_role", SceneRole + "," + SceneProvider + "\r"},
		{"a blank within", pair, "saml_role", strings.Replace(SceneRole, "radiology", "radio logy", 1) + "," + SceneProvider},
		{"a blank that is none", pair, "saml_role", SceneRole + ",\u00a0" + SceneProvider},
		{"a sign of no width", pair, "saml_role", SceneRole + "\u200b," + SceneProvider},
		{"a letter of another script", pair, "saml_role", strings.Replace(SceneRole, "radiology", "rаdiology", 1) + "," + SceneProvider},
		{"a star", "AB22: wildcards", "saml_role", strings.Replace(SceneRole, "radiology", "*", 1) + "," + SceneProvider},
		{"a star for the account", "AB22: wildcards", "saml_role", account("*")},
		{"a question mark", "AB22: wildcards", "saml_role", strings.Replace(SceneRole, "radiology", "radiolog?", 1) + "," + SceneProvider},
		{"a policy's variable", "AB22: wildcards", "saml_role", strings.Replace(SceneRole, "radiology", "${saml:sub}", 1) + "," + SceneProvider},
		{"ARN in another case", pair, "saml_role", strings.Replace(SceneRole, "arn:", "ARN:", 1) + "," + SceneProvider},
		{"eleven digits", pair, "saml_role", account("11112222333")},
		{"no account", pair, "saml_role", account("")},
		{"a region", pair, "saml_role", strings.Replace(SceneRole, "iam::", "iam:eu-west-1:", 1) + "," + SceneProvider},
		{"a user instead of a role", pair, "saml_role", strings.Replace(SceneRole, ":role/", ":user/", 1) + "," + SceneProvider},
		{"an assumed role", pair, "saml_role", "arn:aws:sts::111122223333:assumed-role/radiology/ada," + SceneProvider},
		{"an OIDC provider", pair, "saml_role", SceneRole + ",arn:aws:iam::111122223333:oidc-provider/corp"},
		{"a role without a name", pair, "saml_role", "arn:aws:iam::111122223333:role/," + SceneProvider},
		{"a path with an empty part", pair, "saml_role", strings.Replace(SceneRole, "role/", "role/a//", 1) + "," + SceneProvider},
		{"a path that begins empty", pair, "saml_role", strings.Replace(SceneRole, "role/", "role//", 1) + "," + SceneProvider},
		{"a path that ends empty", pair, "saml_role", SceneRole + "/," + SceneProvider},
		{"a provider with a path", pair, "saml_role", SceneRole + "," + strings.Replace(SceneProvider, "corp", "a/corp", 1)},
		{"over 2,048 characters", "A bound on what is matched", "saml_role", strings.Replace(SceneRole, "radiology", strings.Repeat("a", 2000), 1) + "," + SceneProvider},
		{"a role of Identity Center", "IAM Identity Center's roles (failures facts A7)", "saml_role", "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_x," + SceneProvider},
		{"a role named like Identity Center's", "IAM Identity Center's roles (failures facts A7)", "saml_role", "arn:aws:iam::111122223333:role/AWSReservedSSO_x," + SceneProvider},
		{"role and provider of two accounts", foreign, "saml_role", strings.Replace(SceneRole, "111122223333", "999988887777", 1) + "," + SceneProvider},
		{"role and provider of two partitions", foreign, "saml_role", strings.Replace(SceneRole, "arn:aws:", "arn:aws-cn:", 1) + "," + SceneProvider},
		{"another provider", foreign, "saml_provider", SceneRole + "," + strings.Replace(SceneProvider, "corp", "other", 1)},
		{"a provider in another case", foreign, "saml_provider", SceneRole + "," + strings.Replace(SceneProvider, "corp", "Corp", 1)},
		{"a longer provider", foreign, "saml_provider", SceneRole + "," + SceneProvider + "2"},
		{"another account", foreign, "saml_provider", account("999988887777")},
		{"another partition", foreign, "saml_provider", strings.ReplaceAll(SceneRole+","+SceneProvider, "arn:aws:", "arn:aws-us-gov:")},
		{"a word", "Keycloak's own roles (failures facts I26)", "saml_role", "offline_access"},
		{"nothing", pair, "saml_role", " "},
	} {
		list = append(list, Vector{Name: odd.name, After: odd.after, Code: odd.code, Change: func(s *Spec) { s.Roles = []string{odd.value} }})
	}
	for _, odd := range []struct{ name, value string }{
		{"only the role", SceneRole},
		{"a provider with a path", SceneRole + "," + strings.Replace(SceneProvider, "corp", "a/corp", 1)},
	} {
		list = append(list, Vector{Name: odd.name + ", where any provider will do", After: pair, Code: "saml_role", AnyProvider: true, Change: func(s *Spec) { s.Roles = []string{odd.value} }})
	}
	return list
}
