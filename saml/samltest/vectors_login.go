package samltest

import (
	"slices"
	"strings"
)

// loginVectors answer no login of this browser's.
func loginVectors() []Vector {
	const (
		csrf    = "Login CSRF (AB17): somebody else's response in this browser"
		open    = "protocol facts: InResponseTo is never checked (gosaml2)"
		sts     = "it knows of no logins"
		code    = "saml_in_response_to"
		portal  = "A tile in the IdP's portal, Entra's test button (failures facts I38)"
		another = "id-another"
	)
	refused := "urn:oasis:names:tc:SAML:2.0:status:"
	says := func(status, sub, message string) func(*Spec) {
		return func(s *Spec) { s.Status, s.SubStatus, s.StatusMessage = status, sub, message }
	}
	list := []Vector{
		{Name: "another request", After: csrf, Code: code, Change: func(s *Spec) { s.InResponseTo = another }},
		{Name: "the response answers another", After: open, Code: code, Change: Signing(SetAttr(atResponse, "InResponseTo", another))},
		{Name: "the response answers another, unsigned", After: open, Code: code, Sibling: assertionSigned, Change: Tampering(SetAttr(atResponse, "InResponseTo", another))},
		{Name: "the assertion answers another", After: csrf, Code: code, Change: Signing(SetAttr(atData, "InResponseTo", another))},
		{Name: "only the response answers", After: csrf, Code: code, Change: Signing(RemoveAttr(atData, "InResponseTo"))},
		{Name: "the request in another case", After: csrf, Code: code, Change: func(s *Spec) { s.InResponseTo = "ID-0123456789ABCDEF" }},
		{Name: "the request and a blank", After: csrf, Code: code, Change: func(s *Spec) { s.InResponseTo = SceneRequest + " " }},
		{Name: "nobody waits", After: csrf, Code: code, Nobody: true},
		{Name: "unsolicited", After: portal, Code: "saml_unsolicited", Change: func(s *Spec) { s.InResponseTo = Absent }},
		{Name: "answers nothing", After: portal, Code: "saml_unsolicited", Change: Signing(SetAttr(atResponse, "InResponseTo", ""), SetAttr(atData, "InResponseTo", ""))},
	}
	for i := range list {
		list[i].STS = sts
	}
	list = append(list, contextVectors()...)
	for _, no := range []struct{ name, status, sub, after string }{
		{"the IdP says Responder", Responder, "", "Status other than Success (AB20)"},
		{"the IdP says Requester", Requester, "", "Status other than Success (AB20)"},
		{"the sign-in failed", Responder, refused + "AuthnFailed", "Status other than Success (AB20)"},
		{"no such NameID policy", Requester, refused + "InvalidNameIDPolicy", "AD FS without a NameID rule (failures facts I8)"},
		{"nobody assigned", Responder, refused + "RequestDenied", "Entra, Okta: the person is not assigned"},
		{"no such context", Responder, refused + "NoAuthnContext", "RequestedAuthnContext refused (failures facts I4)"},
		{"the wrong version", "urn:oasis:names:tc:SAML:2.0:status:VersionMismatch", "", "SAML core §3.2.2.2"},
		{"Success within a refusal", Responder, Success, "A verdict looked for anywhere"},
		{"Success in the message only", Responder, "", "A verdict looked for anywhere"},
	} {
		message := ""
		if no.name == "Success in the message only" {
			message = Success
		}
		list = append(list, Vector{Name: no.name, After: no.after, Code: "saml_status", Change: says(no.status, no.sub, message)})
	}
	return append(list, Vector{Name: "a refusal with an assertion", After: "CVE-2021-21239 family: the verdict overlooked", Code: "saml_status", Change: Signing(SetAttr(atStatus+"/StatusCode", "Value", Responder))})
}

// contextVectors did not authenticate as the configuration wants it.
func contextVectors() []Vector {
	const (
		after = "RequestedAuthnContext ignored: the answer says how the person authenticated, and nobody looks"
		mfa   = "https://refeds.org/profile/mfa"
		class = atContext + "/AuthnContextClassRef"
	)
	var list []Vector
	for name, change := range map[string]func(*Spec){
		"by password, though a second factor is wanted": Signing(SetText(class, "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport")),
		"a class that begins like the wanted one":       Signing(SetText(class, mfa+"/not")),
		"no class, though one is wanted":                Signing(Remove(class)),
	} {
		list = append(list, Vector{Name: name, After: after, Code: "saml_authn_context", Contexts: []string{mfa}, Sibling: Signing(SetText(class, mfa)), Change: change, STS: "it knows no wish for a second factor"})
	}
	slices.SortFunc(list, func(a, b Vector) int { return strings.Compare(a.Name, b.Name) })
	return list
}
