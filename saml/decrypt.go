package saml

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1" // OAEP's default hash; nothing rests on its collisions (RFC 8017 §B.1).
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/base64"
	"strings"

	"github.com/rolepass/rolepass/refusal"
)

// contents are the ciphers of an assertion, with the length of their keys.
// They are authenticated: CBC is not, and has been an oracle for what was
// encrypted with it ("How to Break XML Encryption", CCS 2011).
var contents = map[string]int{
	encryption11NS + "aes128-gcm": 16,
	encryption11NS + "aes192-gcm": 24,
	encryption11NS + "aes256-gcm": 32,
}

// hashes and masks are the two halves of OAEP. PKCS #1 v1.5 is no way to wrap a
// key: it has been an oracle since Bleichenbacher.
var (
	hashes = map[string]crypto.Hash{
		"": crypto.SHA1, "http://www.w3.org/2000/09/xmldsig#sha1": crypto.SHA1, "http://www.w3.org/2001/04/xmlenc#sha256": crypto.SHA256,
		"http://www.w3.org/2001/04/xmldsig-more#sha384": crypto.SHA384, "http://www.w3.org/2001/04/xmlenc#sha512": crypto.SHA512,
	}
	masks = map[string]crypto.Hash{
		"": crypto.SHA1, encryption11NS + "mgf1sha1": crypto.SHA1, encryption11NS + "mgf1sha256": crypto.SHA256,
		encryption11NS + "mgf1sha384": crypto.SHA384, encryption11NS + "mgf1sha512": crypto.SHA512,
	}
)

// options are how a key was wrapped; nil: in no way that is accepted.
func (e encryption) options() *rsa.OAEPOptions {
	hash, mask := hashes[e.digest], masks[e.mgf]
	named := e.algorithm == oaep || e.algorithm == oaepMGF1P && e.mgf == ""
	if hash == 0 || mask == 0 || !named {
		return nil
	}
	return &rsa.OAEPOptions{Hash: hash, MGFHash: mask}
}

// decrypt puts the decrypted assertion into the place of the encrypted one, and
// gives its text. It must be signed itself: what anybody could have encrypted is
// read only as far as it was signed.
func (d *Decryption) decrypt(root, e *element) ([]byte, *refusal.Refusal) {
	s, refused := unseal(root, e)
	if refused != nil {
		return nil, refused
	}
	size, content := contents[s.content.algorithm]
	transport := s.transport.options()
	switch {
	case !content:
		return nil, forbidden("saml_encryption_algorithm", "The assertion is encrypted by %q; set the algorithm at the IdP to AES-GCM (aes256-gcm). CBC is not accepted.", shown(s.content.algorithm))
	case transport == nil:
		return nil, forbidden("saml_encryption_algorithm", "The assertion's key is encrypted by %q with the digest %q and the mask %q; set the key transport at the IdP to RSA-OAEP. PKCS #1 v1.5 is not accepted.", shown(s.transport.algorithm), shown(s.transport.digest), shown(s.transport.mgf))
	case s.certificate != nil && unfolded(s.certificate.content()) != base64.StdEncoding.EncodeToString(d.certificate):
		return nil, forbidden("saml_encryption_certificate", "The assertion is encrypted for another certificate than the one in decryption_key_file; give the IdP the certificate of that file.")
	}
	plain, opened := d.open(s, size, transport)
	if !opened {
		return nil, forbidden("saml_decryption", "The encrypted assertion cannot be decrypted. Give the IdP the certificate of decryption_key_file, and IAM's SAML provider the same key.")
	}
	assertion, refused := scan(plain, responseLimits)
	if refused != nil {
		return nil, refused
	}
	if refused := stable(plain); refused != nil {
		return nil, refused
	}
	if assertion.name == saml("Assertion") && assertion.child(ds("Signature")) == nil {
		return nil, forbidden("saml_unsigned", "The encrypted assertion is not signed itself; let the IdP sign the assertion before it encrypts it (Keycloak: Sign assertions; Okta: Assertion Signature).")
	}
	root.replace(e, assertion)
	return plain, nil
}

// open decrypts. Whatever is wrong is wrong in the same way and takes the
// same steps: a key that cannot be unwrapped is replaced by a random one,
// which opens nothing.
func (d *Decryption) open(s *sealed, size int, how *rsa.OAEPOptions) ([]byte, bool) {
	wrapped, _ := base64.StdEncoding.DecodeString(unfolded(s.key))
	text, _ := base64.StdEncoding.DecodeString(unfolded(s.text))
	key := make([]byte, size)
	if _, err := rand.Read(key); err != nil {
		return nil, false
	}
	if unwrapped, err := d.key.Decrypt(nil, wrapped, how); err == nil && len(unwrapped) == size {
		key = unwrapped
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, false
	}
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, false
	}
	plain, err := gcm.Open(nil, nil, text, nil)
	return plain, err == nil
}

// unfolded is base64 without the line ends that XML writers put into it.
func unfolded(text string) string { return strings.Join(strings.Fields(text), "") }
