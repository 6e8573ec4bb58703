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
	RelayState                  string
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
	raw, err := idp.logout(l).WriteToBytes()
	if err != nil {
		panic(fmt.Sprintf("samltest: writing a logout message: %v", err))
	}
	var deflated bytes.Buffer
	w, err := flate.NewWriter(&deflated, flate.BestCompression)
	if err != nil {
		panic(err) // only for a level that is none
	}
	_, _ = w.Write(raw)
	_ = w.Close() // a buffer takes everything
	query := l.field() + "=" + url.QueryEscape(base64.StdEncoding.EncodeToString(deflated.Bytes()))
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
	signature, err := rsa.SignPKCS1v15(rand.Reader, how.Key.Private, hashes[how.Method], digestOf(how.Method, []byte(query)))
	if err != nil {
		panic(fmt.Sprintf("samltest: signing a logout message: %v", err))
	}
	return query + "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature))
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
	raw, err := doc.WriteToBytes()
	if err != nil {
		panic(fmt.Sprintf("samltest: writing a logout message: %v", err))
	}
	return l.field(), base64.StdEncoding.EncodeToString(raw)
}
