package saml

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	dsig "github.com/russellhaering/goxmldsig"

	"github.com/rolepass/rolepass/refusal"
)

const (
	// maxLogout bounds a logout message, in bytes of its XML and of its base64.
	maxLogout = 64 << 10
	// CodeLogoutIssuer is the refusal of a message of another IdP.
	CodeLogoutIssuer refusal.Code = "saml_logout_issuer"
)

var logoutLimits = limits{depth: 16, elements: 128, attributes: 32}

// ReadLogoutQuery verifies a logout message of the HTTP-Redirect binding, from
// the query as it was sent: the signature is over these very bytes (SAML
// bindings §3.4.4.1). It gives the RelayState beside it.
func (sp *ServiceProvider) ReadLogoutQuery(query string) (*Logout, string, error) {
	q, refused := splitLogoutQuery(query)
	if refused != nil {
		return nil, "", refused
	}
	encoded, err := url.QueryUnescape(q.message)
	if err != nil || len(encoded) > maxLogout {
		return nil, "", malformed("saml_logout_query", "The logout message's query cannot be read.")
	}
	deflated, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return nil, "", malformed("saml_logout_query", "The logout message is not base64.")
	}
	raw, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(deflated)), maxLogout+1))
	if err != nil || len(raw) > maxLogout {
		return nil, "", malformed("saml_logout_query", "The logout message cannot be inflated, or is larger than %d bytes.", maxLogout)
	}
	root, refused := sp.examineLogout(raw)
	if refused != nil {
		return nil, "", refused
	}
	if signaturesOf(root).response != nil {
		return nil, "", malformed("saml_signature_place", "A logout message by redirect has its signature in the query, and this one has another in the XML.")
	}
	if refused := sp.signedQuery(q); refused != nil {
		return nil, "", refused
	}
	relayState, err := url.QueryUnescape(q.relayState)
	if err != nil {
		return nil, "", malformed("saml_logout_query", "The logout message's RelayState cannot be read.")
	}
	logout, refused := sp.judgeLogout(root, q.field)
	if refused != nil {
		return nil, "", refused
	}
	return logout, relayState, nil
}

// ReadLogoutForm verifies a logout message of the HTTP-POST binding: field is
// SAMLRequest or SAMLResponse.
func (sp *ServiceProvider) ReadLogoutForm(field, encoded string) (*Logout, error) {
	if len(encoded) > maxLogout {
		return nil, malformed("saml_too_large", "The logout message has more than %d characters.", maxLogout)
	}
	raw, refused := decode(encoded)
	if refused != nil {
		return nil, refused
	}
	root, refused := sp.examineLogout(raw)
	if refused != nil {
		return nil, refused
	}
	if root, refused = sp.signedLogout(raw, root); refused != nil {
		return nil, refused
	}
	logout, refused := sp.judgeLogout(root, field)
	if refused != nil {
		return nil, refused
	}
	return logout, nil
}

// logoutQuery are the parts of a query, still escaped.
type logoutQuery struct{ field, message, relayState, algorithm, signature, signed string }

// splitLogoutQuery takes each parameter once and no other that counts. What
// was signed is put together from the bytes that were sent, in SAML's order.
func splitLogoutQuery(query string) (logoutQuery, *refusal.Refusal) {
	values := map[string]string{}
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if _, twice := values[name]; twice {
			return logoutQuery{}, malformed("saml_logout_query", "The logout message's query has a parameter twice.")
		}
		values[name] = value
	}
	q := logoutQuery{field: "SAMLRequest", relayState: values["RelayState"], algorithm: values["SigAlg"], signature: values["Signature"]}
	answer, both := values["SAMLResponse"]
	if q.message = values["SAMLRequest"]; q.message == "" {
		q.field, q.message, both = "SAMLResponse", answer, false
	}
	switch {
	case q.message == "" || both:
		return logoutQuery{}, malformed("saml_logout_query", "A logout message has one SAMLRequest or one SAMLResponse.")
	case q.signature == "" || q.algorithm == "":
		return logoutQuery{}, forbidden("saml_unsigned", "The logout message is not signed: let the IdP sign logout messages for this application (Keycloak: Sign documents).")
	}
	q.signed = q.field + "=" + q.message
	if _, there := values["RelayState"]; there {
		q.signed += "&RelayState=" + q.relayState
	}
	q.signed += "&SigAlg=" + q.algorithm
	return q, nil
}

// signedQuery verifies the query's signature with the metadata's keys.
func (sp *ServiceProvider) signedQuery(q logoutQuery) *refusal.Refusal {
	algorithm, err := url.QueryUnescape(q.algorithm)
	if err != nil || !signatureMethods[algorithm] {
		return forbidden("saml_algorithm", "The logout message is signed with %q; set the application's signing algorithm at the IdP to RSA with SHA-256.", shown(algorithm))
	}
	encoded, err := url.QueryUnescape(q.signature)
	if err != nil {
		return malformed("saml_logout_query", "The logout message's signature cannot be read.")
	}
	signature, err := base64.StdEncoding.DecodeString(unfolded(encoded))
	if err != nil {
		return malformed("saml_logout_query", "The logout message's signature is not base64.")
	}
	hash, digest := digestOf(algorithm, []byte(q.signed))
	for _, certificate := range sp.IdP.Metadata.Certificates {
		key, ok := certificate.PublicKey.(*rsa.PublicKey)
		if ok && validAt(certificate, sp.now()) && rsa.VerifyPKCS1v15(key, hash, digest, signature) == nil {
			return nil
		}
	}
	return forbidden("saml_signature", "The logout message's signature does not fit it and the keys in the metadata of %q.", sp.IdP.Name)
}

func digestOf(algorithm string, signed []byte) (crypto.Hash, []byte) {
	switch {
	case strings.HasSuffix(algorithm, "sha384"):
		sum := sha512.Sum384(signed)
		return crypto.SHA384, sum[:]
	case strings.HasSuffix(algorithm, "sha512"):
		sum := sha512.Sum512(signed)
		return crypto.SHA512, sum[:]
	}
	sum := sha256.Sum256(signed)
	return crypto.SHA256, sum[:]
}

func validAt(c *x509.Certificate, now time.Time) bool {
	return !now.Before(c.NotBefore) && !now.After(c.NotAfter)
}

// examineLogout checks everything that needs no key, the issuer among it: of
// several IdPs it is the one that is asked further.
func (sp *ServiceProvider) examineLogout(raw []byte) (*element, *refusal.Refusal) {
	if refused := sp.configured(); refused != nil {
		return nil, refused
	}
	if refused := sp.IdP.Metadata.current(sp.now()); refused != nil {
		return nil, refused
	}
	root, refused := scan(raw, logoutLimits)
	if refused == nil {
		refused = stable(raw)
	}
	if refused != nil {
		return nil, refused
	}
	if root.name != samlp("LogoutRequest") && root.name != samlp("LogoutResponse") {
		return nil, malformed("saml_root", "The document is a %q, not a logout message.", shown(root.name.Local))
	}
	for _, rule := range []func(*element) *refusal.Refusal{notEncrypted, knownNamespaces, followsLogout, logoutIDs} {
		if refused := rule(root); refused != nil {
			return nil, refused
		}
	}
	if issuer := root.child(saml("Issuer")).content(); issuer != sp.IdP.Metadata.EntityID {
		return nil, forbidden(CodeLogoutIssuer, "The logout message is from %q, which is no IdP of the configuration.", shown(issuer))
	}
	return root, nil
}

// logoutIDs lets the message alone have an ID.
func logoutIDs(root *element) *refusal.Refusal {
	var refused *refusal.Refusal
	root.walk(func(e *element) bool {
		for _, a := range e.attrs {
			if !strings.EqualFold(a.Name.Local, "id") {
				continue
			}
			if e != root || a.Name != (xml.Name{Local: "ID"}) || !id.MatchString(a.Value) {
				refused = malformed("saml_id", "%s has an ID where none belongs, or one that is none.", shown(e.path()))
			}
		}
		return refused == nil
	})
	return refused
}

// signedLogout verifies the enveloped signature, and gives the message as it
// was signed.
func (sp *ServiceProvider) signedLogout(raw []byte, root *element) (*element, *refusal.Refusal) {
	if signaturesOf(root).response == nil {
		return nil, forbidden("saml_unsigned", "The logout message is not signed: let the IdP sign logout messages for this application (Keycloak: Sign documents).")
	}
	certificates := sp.IdP.Metadata.Certificates
	if refused := soundlySigned(root); refused != nil {
		return nil, refused
	}
	if refused := pinned(root, certificates, sp.now()); refused != nil {
		return nil, refused
	}
	for _, set := range candidates(root, certificates) {
		if signed := verifyEnveloped(raw, set, sp.now()); signed != nil {
			again, refused := scan(signed, logoutLimits)
			if refused == nil && again.name == root.name {
				refused = followsLogout(again)
			}
			if refused != nil || again.name != root.name {
				return nil, forbidden("saml_readers_differ", "Two readers of the logout message disagree about what it says.")
			}
			return again, nil
		}
	}
	return nil, forbidden("saml_signature", "The logout message's signature does not fit it and the keys in the metadata of %q.", sp.IdP.Name)
}

// verifyEnveloped gives the bytes that a signature covers, or nil.
func verifyEnveloped(raw []byte, certificates []*x509.Certificate, now time.Time) []byte {
	root, err := etreeRoot(bytes.Clone(raw))
	if err != nil {
		return nil
	}
	context := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: certificates})
	context.Clock = dsig.NewFakeClockAt(now)
	signed, err := context.Validate(root)
	if err != nil {
		return nil
	}
	out, err := etreeBytes(signed)
	if err != nil {
		return nil
	}
	return out
}

// judgeLogout reads a message whose signature is good.
func (sp *ServiceProvider) judgeLogout(root *element, field string) (*Logout, *refusal.Refusal) {
	var at instants
	issued, until := at.read(root, "IssueInstant"), at.read(root, "NotOnOrAfter")
	l := &Logout{ID: root.attr("ID"), Answer: root.name == samlp("LogoutResponse"), UsableUntil: issued.Add(sp.maxAge() + sp.skew())}
	now := sp.now()
	switch {
	case at.refused != nil:
		return nil, at.refused
	case l.Answer != (field == "SAMLResponse"):
		return nil, malformed("saml_root", "A %s came as %s.", root.name.Local, field)
	case root.attr("Version") != "2.0":
		return nil, malformed("saml_version", "The logout message is of version %q; set the application at the IdP to SAML 2.0.", shown(root.attr("Version")))
	case root.attr("Destination") != sp.SLO:
		return nil, forbidden("saml_destination", "The logout message is for %q and this is %q: correct the logout URL at the IdP.", shown(root.attr("Destination")), sp.SLO)
	case issued.After(now.Add(sp.skew())) || !now.Before(l.UsableUntil) || !until.IsZero() && !now.Add(-sp.skew()).Before(until):
		return nil, forbidden("saml_issue_instant", "The logout message is of %s and it is %s here: it is too old, or the clocks differ.", stamp(issued), stamp(now))
	}
	if l.Answer {
		l.InResponseTo, l.Success = root.attr("InResponseTo"), root.child(samlp("Status"), samlp("StatusCode")).attr("Value") == success
		return l, nil
	}
	name := root.child(saml("NameID"))
	l.NameID, l.NameIDFormat = name.content(), name.attr("Format")
	for _, e := range root.all(samlp("SessionIndex")) {
		l.Sessions = append(l.Sessions, e.content())
	}
	if l.NameID == "" || slices.Contains(l.Sessions, "") {
		return nil, malformed("saml_name_id", "The logout message names nobody.")
	}
	return l, nil
}
