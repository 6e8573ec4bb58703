package saml

import (
	"bytes"
	"encoding/base64"
	"unicode/utf8"

	"github.com/rolepass/rolepass/refusal"
)

// maxEncoded is the longest SAMLResponse in characters of base64: what STS
// takes (IAM and STS quotas, "SAMLAssertion").
const maxEncoded = 100_000

// decode undoes the base64 of the form field SAMLResponse. The same
// characters go on to STS, so only the one canonical spelling will do.
func decode(encoded string) ([]byte, *refusal.Refusal) {
	if len(encoded) > maxEncoded {
		return nil, malformed("saml_too_large",
			"The response has %d characters; STS takes no more than %d. Let the IdP send fewer roles and groups for this application.",
			len(encoded), maxEncoded)
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || base64.StdEncoding.EncodeToString(raw) != encoded {
		return nil, malformed("saml_base64",
			"SAMLResponse is not canonical base64 (standard alphabet, padded, no line breaks); something between the IdP and Rolepass changed it, or it was copied incompletely.")
	}
	if !bytes.HasPrefix(raw, []byte("<")) {
		return nil, malformed("saml_not_xml",
			"SAMLResponse is not an XML document as it stands. A compressed response belongs to the HTTP-Redirect binding; set the IdP's response binding to HTTP-POST, without a byte order mark.")
	}
	if !utf8.Valid(raw) {
		return nil, malformed("saml_utf8", "The response is not valid UTF-8; set the IdP's encoding to UTF-8.")
	}
	return raw, nil
}

func malformed(code refusal.Code, format string, args ...any) *refusal.Refusal {
	return refusal.New(refusal.Malformed, code, format, args...)
}

func forbidden(code refusal.Code, format string, args ...any) *refusal.Refusal {
	return refusal.New(refusal.Forbidden, code, format, args...)
}

// shown shortens a value that somebody else chose, so that a sentence stays
// one. It is meant for %q.
func shown(value string) string {
	const most = 200
	if len(value) <= most {
		return value
	}
	end := most
	for !utf8.RuneStart(value[end]) {
		end--
	}
	return value[:end] + "…"
}
