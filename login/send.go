package login

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"

	"html/template"

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
		CSS    template.CSS
		Script template.JS
		*saml.Form
	}{css(), submit, m.Form})
	p.replace("content-security-policy", strings.Replace(policy, "form-action 'none'",
		"form-action "+targets(m.Form.Action)+"; script-src "+scriptHash(submit), 1))
	return p
}

// scriptHash names a script in a policy.
func scriptHash(script string) string {
	sum := sha256.Sum256([]byte(script))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// targets are where a form may go, and be redirected to: browsers hold the
// whole way of a form against the policy, and an IdP may redirect to another
// host of its own. Plain http is for a demonstration on one machine.
func targets(address string) string {
	if strings.HasPrefix(address, "http://") {
		return "https: http:"
	}
	return "https:"
}

// replace gives a header another value.
func (p *Page) replace(name, value string) {
	for i := range p.Header {
		if p.Header[i].Name == name {
			p.Header[i].Value = value
		}
	}
}
