package samltest

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/beevik/etree"
)

// Algorithms of XML Encryption.
const (
	EncryptionNS   = "http://www.w3.org/2001/04/xmlenc#"
	Encryption11NS = "http://www.w3.org/2009/xmlenc11#"

	AES128GCM = Encryption11NS + "aes128-gcm"
	AES256GCM = Encryption11NS + "aes256-gcm"
	AES128CBC = EncryptionNS + "aes128-cbc"
	AES256CBC = EncryptionNS + "aes256-cbc"
	OAEPMGF1P = EncryptionNS + "rsa-oaep-mgf1p"
	OAEP      = Encryption11NS + "rsa-oaep"
	PKCS1v15  = EncryptionNS + "rsa-1_5"
)

// Encryption says how the assertion is encrypted, after it was signed and
// before the response is. The zero value of each field but For is AES-256-GCM
// with RSA-OAEP, as Keycloak and Okta do it.
type Encryption struct {
	// For is the certificate of whoever is to read it.
	For *Key
	// Content and Transport are algorithm URIs; Digest and MGF parameters of
	// the latter, left out when they are empty.
	Content, Transport, Digest, MGF string
	// Plain changes the text before it is encrypted.
	Plain func([]byte) []byte
	// Edit changes the EncryptedAssertion.
	Edit func(*etree.Element)
}

// encrypt puts an EncryptedAssertion into the place of the assertion.
func encrypt(response *etree.Element, how Encryption) {
	or(&how.Content, AES256GCM)
	or(&how.Transport, OAEPMGF1P)
	assertion := response.SelectElement("Assertion")
	document := etree.NewDocument()
	document.SetRoot(detached(assertion))
	document.WriteSettings.CanonicalText, document.WriteSettings.CanonicalAttrVal = true, true
	plain, err := document.WriteToBytes()
	if err != nil {
		panic(fmt.Sprintf("samltest: writing the assertion: %v", err))
	}
	if how.Plain != nil {
		plain = how.Plain(plain)
	}
	key := make([]byte, how.keySize())
	rand.Read(key)
	sealed := sealedElement(how, how.wrap(key), how.seal(key, plain))
	if how.Edit != nil {
		how.Edit(sealed)
	}
	response.InsertChildAt(assertion.Index(), sealed)
	response.RemoveChild(assertion)
}

func (how Encryption) keySize() int {
	if how.Content == AES128GCM || how.Content == AES128CBC {
		return 16
	}
	return 32
}

func (how Encryption) wrap(key []byte) []byte {
	public := &how.For.Private.PublicKey
	var wrapped []byte
	var err error
	if how.Transport == PKCS1v15 {
		//lint:ignore SA1019 what nobody should do is what is tried here
		wrapped, err = rsa.EncryptPKCS1v15(rand.Reader, public, key)
	} else {
		wrapped, err = rsa.EncryptOAEPWithOptions(rand.Reader, public, key, &rsa.OAEPOptions{Hash: oaepHash(how.Digest), MGFHash: oaepHash(how.MGF)})
	}
	if err != nil {
		panic(fmt.Sprintf("samltest: encrypting a key: %v", err))
	}
	return wrapped
}

// oaepHash is the hash that a digest or a mask names.
func oaepHash(uri string) crypto.Hash {
	switch {
	case strings.HasSuffix(uri, "sha256"):
		return crypto.SHA256
	case strings.HasSuffix(uri, "sha512"):
		return crypto.SHA512
	default:
		return crypto.SHA1
	}
}

func (how Encryption) seal(key, plain []byte) []byte {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("samltest: " + err.Error())
	}
	if how.Content == AES128CBC || how.Content == AES256CBC {
		return sealCBC(block, plain)
	}
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("samltest: " + err.Error())
	}
	return gcm.Seal(nil, nil, plain, nil)
}

func sealCBC(block cipher.Block, plain []byte) []byte {
	padding := block.BlockSize() - len(plain)%block.BlockSize()
	plain = append(plain, make([]byte, padding)...)
	plain[len(plain)-1] = byte(padding)
	out := make([]byte, block.BlockSize()+len(plain))
	rand.Read(out[:block.BlockSize()])
	cipher.NewCBCEncrypter(block, out[:block.BlockSize()]).CryptBlocks(out[block.BlockSize():], plain)
	return out
}

func sealedElement(how Encryption, key, text []byte) *etree.Element {
	sealed := etree.NewElement("saml:EncryptedAssertion")
	set(sealed, "xmlns:saml", AssertionNS)
	data := sealed.CreateElement("xenc:EncryptedData")
	set(data, "xmlns:xenc", EncryptionNS)
	set(data, "Type", EncryptionNS+"Element")
	set(data.CreateElement("xenc:EncryptionMethod"), "Algorithm", how.Content)
	info := data.CreateElement("ds:KeyInfo")
	set(info, "xmlns:ds", SignatureNS)
	wrapped := info.CreateElement("xenc:EncryptedKey")
	method := wrapped.CreateElement("xenc:EncryptionMethod")
	set(method, "Algorithm", how.Transport)
	if how.Digest != "" {
		set(method.CreateElement("ds:DigestMethod"), "Algorithm", how.Digest)
	}
	if how.MGF != "" {
		mgf := method.CreateElement("xenc11:MGF")
		set(mgf, "xmlns:xenc11", Encryption11NS)
		set(mgf, "Algorithm", how.MGF)
	}
	wrapped.CreateElement("xenc:CipherData").CreateElement("xenc:CipherValue").SetText(base64.StdEncoding.EncodeToString(key))
	data.CreateElement("xenc:CipherData").CreateElement("xenc:CipherValue").SetText(base64.StdEncoding.EncodeToString(text))
	return sealed
}
