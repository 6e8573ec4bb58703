package saml

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"net/url"
	"strings"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// Message is something for the IdP that travels through the browser: either
// Location is where the browser is redirected to (HTTP-Redirect binding), or
// Form is what it posts (HTTP-POST binding).
type Message struct {
	// ID is what the answer names as InResponseTo.
	ID       string
	Location string
	Form     *Form
}

// Form is what a browser posts to the IdP.
type Form struct {
	Action string
	// Field is SAMLRequest or SAMLResponse, Value its value.
	Field, Value string
	// RelayState is left out when it is empty.
	RelayState string
}

const rsaSHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"

// key is the key that signs, or nil.
func (sp *ServiceProvider) key() *SigningKey {
	if len(sp.Keys) == 0 {
		return nil
	}
	return sp.Keys[0]
}

// sends puts a message into the browser's next step: an address where the IdP
// has one, else a form.
func (sp *ServiceProvider) sends(id, to, post, field, relayState string, message func(to string) any) (*Message, error) {
	m := &Message{ID: id}
	address := to
	if address == "" {
		address = post
	}
	document, err := xml.Marshal(message(address))
	if err != nil {
		return nil, err
	}
	if to != "" {
		m.Location, err = sp.redirected(to, field, document, relayState)
	} else {
		m.Form, err = sp.posted(post, field, document, relayState)
	}
	return m, err
}

// redirected puts a document into an address (SAML bindings §3.4.4.1), signed
// if we have a key. It appends to a query that the address may already have,
// as Google's (idpid=) does.
func (sp *ServiceProvider) redirected(to, field string, document []byte, relayState string) (string, error) {
	deflated, err := deflate(document)
	if err != nil {
		return "", err
	}
	query := field + "=" + url.QueryEscape(base64.StdEncoding.EncodeToString(deflated))
	if relayState != "" {
		query += "&RelayState=" + url.QueryEscape(relayState)
	}
	if key := sp.key(); key != nil {
		query += "&SigAlg=" + url.QueryEscape(rsaSHA256)
		signature, err := key.sign([]byte(query))
		if err != nil {
			return "", err
		}
		query += "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature))
	}
	separator := "?"
	if strings.Contains(to, "?") {
		separator = "&"
	}
	return to + separator + query, nil
}

// posted puts a document into a form (SAML bindings §3.5), signed if we have a
// key.
func (sp *ServiceProvider) posted(to, field string, document []byte, relayState string) (*Form, error) {
	if key := sp.key(); key != nil {
		var err error
		if document, err = key.signedXML(document); err != nil {
			return nil, err
		}
	}
	return &Form{Action: to, Field: field, Value: base64.StdEncoding.EncodeToString(document), RelayState: relayState}, nil
}

func deflate(document []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(document); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func etreeRoot(document []byte) (*etree.Element, error) {
	parsed := etree.NewDocument()
	if err := parsed.ReadFromBytes(document); err != nil {
		return nil, err
	}
	if parsed.Root() == nil {
		return nil, errors.New("there is no element")
	}
	return parsed.Root(), nil
}

func etreeBytes(root *etree.Element) ([]byte, error) {
	document := etree.NewDocument()
	document.SetRoot(root)
	return document.WriteToBytes()
}

func signingContext(k *SigningKey) (*dsig.SigningContext, error) {
	context, err := dsig.NewSigningContext(k.private, [][]byte{k.Certificate.Raw})
	if err != nil {
		return nil, err
	}
	context.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	return context, context.SetSignatureMethod(rsaSHA256)
}
