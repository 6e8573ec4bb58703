package canary

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// signatureValue is the signature in a message of SAML, which no other has.
var signatureValue = regexp.MustCompile(`SignatureValue>\s*([^<]+)<`)

// KeepResponse keeps a SAML response as it is posted, and its signatures, by
// which it is known when it is written as XML.
func (s *Suite) KeepResponse(encoded string) {
	text, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || !bytes.Contains(text, []byte("Response")) {
		return // a test's own nonsense
	}
	s.Keep("a SAML response", encoded)
	for _, found := range signatureValue.FindAllSubmatch(text, -1) {
		s.KeepLong("an assertion", strings.TrimSpace(string(found[1])))
	}
}

// KeepCookies keeps the cookies that Rolepass sets. What is shorter than a
// secret says that somebody signed out, and the like.
func (s *Suite) KeepCookies(header http.Header) {
	for _, line := range header.Values("Set-Cookie") {
		cookie, err := http.ParseSetCookie(line)
		if err == nil && strings.HasPrefix(cookie.Name, "__Host-rolepass") && cookie.MaxAge >= 0 && len(cookie.Value) > shortest {
			s.Keep("a cookie", cookie.Value)
		}
	}
}

// KeepSigned keeps what makes a query a signed one.
func (s *Suite) KeepSigned(query url.Values) {
	s.Keep("a signature", query.Get("X-Amz-Signature"))
	s.KeepLong("a session token", query.Get("X-Amz-Security-Token"))
	s.Keep("a signed query", query.Get("X-Amz-Credential"))
}

// KeepURI keeps the key of an object, s3://bucket/key.
func (s *Suite) KeepURI(uri string) {
	_, key, _ := strings.Cut(strings.TrimPrefix(uri, "s3://"), "/")
	s.KeepLong("an object's key", key)
}

// KeepFile keeps what a file has: the private key of a PEM, or all of it.
func (s *Suite) KeepFile(text []byte) {
	block, rest := pem.Decode(text)
	if block == nil {
		secret := strings.TrimSpace(string(text))
		s.Keep("the secret of a file", secret)
		if raw, err := hex.DecodeString(secret); err == nil {
			s.Keep("the secret of a file", string(raw))
		}
		return
	}
	for ; block != nil; block, rest = pem.Decode(rest) {
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			s.Keep("a private key", base64.StdEncoding.EncodeToString(block.Bytes))
			s.Keep("a private key", string(block.Bytes))
		}
	}
}

// KeepTarget keeps a signed path and query, whole and by what signs it; empty
// is none.
func (s *Suite) KeepTarget(target string) {
	s.Keep("a signed location", target)
	if _, query, ok := strings.Cut(target, "?"); ok {
		if values, err := url.ParseQuery(query); err == nil {
			s.KeepSigned(values)
		}
	}
}

// KeepLong keeps what is long enough to be looked for; what is shorter is a
// test's own placeholder.
func (s *Suite) KeepLong(kind, secret string) {
	if len(secret) >= shortest {
		s.Keep(kind, secret)
	}
}
