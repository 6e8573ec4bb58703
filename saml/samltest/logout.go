package samltest

import (
	"bytes"
	"compress/flate"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"net/url"
	"time"

	"github.com/beevik/etree"
)

// Logout is one logout message. Empty fields have the value that is right,
// where there is one.
type Logout struct {
	// Answer makes it a LogoutResponse to the request InResponseTo.
	Answer       bool
	InResponseTo string
	Status       string // default: Success

	ID, Issuer, Destination string
	IssueInstant            time.Time
	NotOnOrAfter            time.Time // left out when zero
	NameID, NameIDFormat    string
	Sessions                []string

	// Sign says how it is signed; Unsigned, that it is not.
	Sign     Signature
	Unsigned bool
	// BeforeSigning and AfterSigning change the document; both work on the one
	// of LogoutForm, the first on LogoutQuery's, too.
	BeforeSigning, AfterSigning Edit
	// Raw changes the bytes of the XML before they are compressed or put into
	// base64.
	Raw        func([]byte) []byte
	RelayState string

	// The rest is LogoutQuery's. SignXML signs the XML as well, Deflate
	// compresses it (nil: as well as can be), and QueryText changes the query
	// before it is signed.
	SignXML   bool
	Deflate   func([]byte) []byte
	QueryText func(string) string
}

func (l Logout) field() string {
	if l.Answer {
		return "SAMLResponse"
	}
	return "SAMLRequest"
}

func (idp *IdP) logout(l Logout) *etree.Document {
	name := "samlp:LogoutRequest"
	if l.Answer {
		name = "samlp:LogoutResponse"
	}
	or(&l.ID, idp.NewID())
	or(&l.Issuer, idp.entityID)
	or(&l.Status, Success)
	if l.IssueInstant.IsZero() {
		l.IssueInstant = idp.now()
	}
	doc := etree.NewDocument()
	root := doc.CreateElement(name)
	set(root, "xmlns:samlp", ProtocolNS)
	set(root, "xmlns:saml", AssertionNS)
	set(root, "ID", l.ID)
	set(root, "Version", "2.0")
	set(root, "IssueInstant", instant(l.IssueInstant))
	set(root, "Destination", l.Destination)
	if !l.NotOnOrAfter.IsZero() {
		set(root, "NotOnOrAfter", instant(l.NotOnOrAfter))
	}
	if l.Answer {
		set(root, "InResponseTo", l.InResponseTo)
	}
	text(root, "saml:Issuer", l.Issuer)
	if l.Answer {
		set(root.CreateElement("samlp:Status").CreateElement("samlp:StatusCode"), "Value", l.Status)
	} else {
		nameID := text(root, "saml:NameID", l.NameID)
		if l.NameIDFormat != "" {
			set(nameID, "Format", l.NameIDFormat)
		}
		for _, session := range l.Sessions {
			text(root, "samlp:SessionIndex", session)
		}
	}
	if l.BeforeSigning != nil {
		l.BeforeSigning(doc)
	}
	return doc
}

// LogoutQuery is the message as the query of a redirect.
func (idp *IdP) LogoutQuery(l Logout) string {
	doc := idp.logout(l)
	if l.SignXML {
		idp.Sign(doc.Root(), l.Sign)
	}
	if l.Deflate == nil {
		l.Deflate = deflated
	}
	query := l.field() + "=" + url.QueryEscape(base64.StdEncoding.EncodeToString(l.Deflate(l.bytes(doc))))
	if l.RelayState != "" {
		query += "&RelayState=" + url.QueryEscape(l.RelayState)
	}
	if l.Unsigned {
		return query
	}
	how := l.Sign
	if how.Key == nil {
		how.Key = idp.key
	}
	or(&how.Method, RSASHA256)
	query += "&SigAlg=" + url.QueryEscape(how.Method)
	if l.QueryText != nil {
		query = l.QueryText(query)
	}
	signature, err := rsa.SignPKCS1v15(rand.Reader, how.Key.Private, hashes[how.Method], digestOf(how.Method, []byte(query)))
	if err != nil {
		panic(fmt.Sprintf("samltest: signing a logout message: %v", err))
	}
	return query + "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature))
}

func (l Logout) bytes(doc *etree.Document) []byte {
	raw, err := doc.WriteToBytes()
	if err != nil {
		panic(fmt.Sprintf("samltest: writing a logout message: %v", err))
	}
	if l.Raw != nil {
		raw = l.Raw(raw)
	}
	return raw
}

func deflated(raw []byte) []byte {
	return compressed(raw, flate.BestCompression, (*flate.Writer).Close)
}

// compressed writes a stream of DEFLATE and ends it in one way or another.
func compressed(raw []byte, level int, end func(*flate.Writer) error) []byte {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, level)
	if err != nil {
		panic(err) // only for a level that is none
	}
	_, _ = w.Write(raw)
	_ = end(w) // a buffer takes everything
	return out.Bytes()
}

// LogoutForm is the message as the form of a POST: the field's name and value.
func (idp *IdP) LogoutForm(l Logout) (field, value string) {
	doc := idp.logout(l)
	if !l.Unsigned {
		idp.Sign(doc.Root(), l.Sign)
	}
	if l.AfterSigning != nil {
		l.AfterSigning(doc)
	}
	return l.field(), base64.StdEncoding.EncodeToString(l.bytes(doc))
}
