package samltest

import (
	"bytes"
	"compress/flate"
	"net/url"
	"strings"
)

// padded makes the XML of a message so many bytes, by blanks at its end.
func padded(n int) func(*Logout) {
	return func(l *Logout) {
		l.Raw = func(raw []byte) []byte { return append(raw, bytes.Repeat([]byte(" "), n-len(raw))...) }
	}
}

// stored makes the base64 of a message so many characters: nothing in it is
// compressed, and blanks fill it.
func stored(n int) func(*Logout) {
	return func(l *Logout) {
		l.Deflate = func(raw []byte) []byte {
			for {
				out := compressed(raw, flate.NoCompression, (*flate.Writer).Close)
				missing := n/4*3 - len(out)
				if missing == 0 {
					return out
				}
				if missing < 0 {
					panic("samltest: the message is too long")
				}
				raw = append(raw, bytes.Repeat([]byte(" "), max(1, missing-64))...)
			}
		}
	}
}

// query changes a query on its way.
func query(change func(string) string) func(LogoutSent) LogoutSent {
	return func(s LogoutSent) LogoutSent { s.Query = change(s.Query); return s }
}

// parameter gives one parameter of a query another value, still escaped.
func parameter(name string, change func(value string) string) func(string) string {
	return func(q string) string {
		pairs := strings.Split(q, "&")
		for i, pair := range pairs {
			if value, is := strings.CutPrefix(pair, name+"="); is {
				pairs[i] = name + "=" + change(value)
				return strings.Join(pairs, "&")
			}
		}
		panic("samltest: no parameter " + name)
	}
}

func becomes(value string) func(string) string { return func(string) string { return value } }
func followed(by string) func(string) string   { return func(value string) string { return value + by } }

// signing changes the query before it is signed.
func signing(change func(string) string) func(*Logout) {
	return func(l *Logout) { l.QueryText = change }
}

// logoutQueryVectors are about the query of the HTTP-Redirect binding.
func logoutQueryVectors() []LogoutVector {
	const (
		code     = "saml_logout_query"
		once     = "CVE-2021-32777 family: of two parameters of a name, which one counts"
		octets   = "SAML bindings §3.4.4.1: the signature is over the query as it was sent"
		bomb     = "CVE-2023-26483 (gosaml2), CVE-2023-28119 (crewjam): a small body inflates to a large one"
		confused = "Algorithm confusion: the name of the algorithm believed"
	)
	state := func(l *Logout) { l.RelayState = "back" }
	return []LogoutVector{
		{Name: "65,537 bytes", After: bomb, Code: code, Sibling: padded(1 << 16), Change: padded(1<<16 + 1)},
		{Name: "64 MiB", After: bomb, Code: code, Change: padded(64 << 20)},
		{Name: "65,540 characters", After: "A bound on what is read before anybody vouched for it", Code: code, Sibling: stored(1 << 16), Change: stored(1<<16 + 4)},
		{Name: "a message that does not end", After: "RFC 1951 §3.2.3: the last block says so", Code: code, Change: func(l *Logout) {
			l.Deflate = func(raw []byte) []byte { return compressed(raw, flate.BestCompression, (*flate.Writer).Flush) }
		}},
		{Name: "a message that is not deflated", After: octets, Code: code, Change: func(l *Logout) { l.Deflate = func(raw []byte) []byte { return raw } }},
		{Name: "a message with a sign behind it", After: "CVE-2025-25292 (ruby-saml): two readers of one value", Code: code, Change: signing(parameter("SAMLRequest", followed("!")))},
		{Name: "a message that is no escape", After: octets, Code: code, Change: signing(parameter("SAMLRequest", becomes("%zz")))},
		{Name: "no message", After: octets, Code: code, Change: signing(parameter("SAMLRequest", becomes("")))},
		{Name: "a relay state that is no escape", After: octets, Code: code, Sibling: state, Change: signing(parameter("RelayState", becomes("%zz")))},
		{Name: "a request and an answer", After: "A message read as another kind", Code: code, Sent: query(followed("&SAMLResponse=x"))},
		{Name: "the relay state twice", After: once, Code: code, Sibling: state, Sent: query(followed("&RelayState=back"))},
		{Name: "the signature twice", After: once, Code: code, Sent: query(func(q string) string { return q + q[strings.Index(q, "&Signature="):] })},
		{Name: "another relay state", After: octets, Code: "saml_signature", Sibling: state, Sent: query(parameter("RelayState", becomes("evil")))},
		{Name: "a relay state added", After: octets, Code: "saml_signature", Sent: query(followed("&RelayState=evil"))},
		{Name: "the relay state taken away", After: octets, Code: "saml_signature", Sibling: state, Sent: query(func(q string) string { return strings.Replace(q, "&RelayState=back", "", 1) })},
		{Name: "a stranger's key", After: "CVE-2023-48703 (go-saml): whose key it is", Code: "saml_signature", Change: func(l *Logout) { l.Sign.Key = strangerKey() }},
		{Name: "signed with SHA-256 and named SHA-1", After: confused, Code: "saml_algorithm", Change: signing(parameter("SigAlg", becomes(url.QueryEscape(RSASHA1))))},
		{Name: "signed with SHA-256 and named nothing", After: confused, Code: "saml_unsigned", Change: signing(parameter("SigAlg", becomes("")))},
		{Name: "an algorithm that is no escape", After: confused, Code: "saml_algorithm", Change: signing(parameter("SigAlg", becomes("%zz")))},
		{Name: "a signature of nothing", After: "Signature exclusion (On Breaking SAML, USENIX Security 2012)", Code: "saml_unsigned", Sent: query(parameter("Signature", becomes("")))},
		{Name: "a signature that is no escape", After: octets, Code: code, Sent: query(parameter("Signature", becomes("%zz")))},
		{Name: "a signature with a sign behind it", After: "CVE-2025-25292 (ruby-saml): two readers of one value", Code: code, Sent: query(parameter("Signature", followed("!")))},
		{Name: "a signature in the XML as well", After: "SAML bindings §3.4.4.1: no signature in the message", Code: "saml_signature_place", Change: func(l *Logout) { l.SignXML = true }},
		{Name: "a request sent as an answer", After: "A message read as another kind", Code: "saml_root", Change: signing(func(q string) string { return strings.Replace(q, "SAMLRequest=", "SAMLResponse=", 1) })},
	}
}

// logoutFormVectors are about the form of the HTTP-POST binding.
func logoutFormVectors() []LogoutVector {
	const tampered = "CVE-2025-54419 (node-saml): what is read was not signed"
	tampering := func(edit Edit) func(*Logout) { return func(l *Logout) { l.AfterSigning = edit } }
	at := func(path string) string { return atLogout + path }
	return []LogoutVector{
		{Name: "65,540 characters", After: "A bound on what is read before anybody vouched for it", Code: "saml_too_large", Sibling: padded(1 << 14 * 3), Change: padded(1<<14*3 + 1)},
		{Name: "a request sent as an answer", After: "A message read as another kind", Code: "saml_root", Sent: func(s LogoutSent) LogoutSent { s.Field = "SAMLResponse"; return s }},
		{Name: "an answer sent as a request", After: "A message read as another kind", Code: "saml_root", Sibling: answering, Sent: func(s LogoutSent) LogoutSent { s.Field = "SAMLRequest"; return s }},
		{Name: "another person", After: tampered, Code: "saml_signature", Change: tampering(SetText(at("/NameID"), Attacker))},
		{Name: "another session", After: tampered, Code: "saml_signature", Change: tampering(SetText(at("/SessionIndex"), "s2"))},
		{Name: "one session less", After: tampered, Code: "saml_signature", Change: tampering(Remove(at("/SessionIndex")))},
		{Name: "another moment", After: tampered, Code: "saml_signature", Change: tampering(SetAttr(at(""), "IssueInstant", "2026-03-14T12:00:01.000Z"))},
		{Name: "another ID", After: "CVE-2024-45409 (ruby-saml)", Code: "saml_reference", Change: tampering(SetAttr(at(""), "ID", "_another"))},
		{Name: "signed twice", After: "CVE-2024-45409 (ruby-saml): the first signature found", Code: "saml_signature_place", Change: func(l *Logout) { l.Sign.Twice = true }},
		{Name: "an answer signed twice", After: "CVE-2024-45409 (ruby-saml): the first signature found", Code: "saml_signature_place", Sibling: answering, Change: func(l *Logout) { l.Sign.Twice = true }},
		{Name: "a signature in the NameID", After: "CVE-2020-15216 (goxmldsig): signatures looked for anywhere", Code: "saml_structure", Change: tampering(Move(at("/Signature"), at("/NameID")))},
		{Name: "a stranger's key, with its certificate", After: "CVE-2023-48703 (go-saml): the key in KeyInfo believed", Code: "saml_certificate", Change: func(l *Logout) { l.Sign.Key = strangerKey() }},
		{Name: "a stranger's key under the right certificate", After: "CVE-2023-48703 (go-saml): the key in KeyInfo believed", Code: "saml_signature", Change: func(l *Logout) { l.Sign.Key = disguised() }},
	}
}
