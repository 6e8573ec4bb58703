package login

import (
	"html/template"
	"net/http"

	"github.com/rolepass/rolepass/saml"
)

// submit sends the form of a page at once. Beside keep.js it is our one script.
const submit = "document.forms[0].submit()"

// sending hands a message for the IdP to the browser: as a redirect, or as a
// form that sends itself, with a button where no script runs.
func sending(m *saml.Message) Page {
	if m.Form == nil {
		return redirect(m.Location)
	}
	p := render(http.StatusOK, "send", struct {
		Script template.JS
		*saml.Form
	}{submit, m.Form})
	p.replace("content-security-policy", policy(targets(m.Form.Action), "script-src "+hashed(submit)))
	return p
}
