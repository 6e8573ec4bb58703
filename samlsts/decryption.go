package samlsts

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1" // the default of OAEP, where nothing rests on its collisions
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
)

const (
	xencNS   = "http://www.w3.org/2001/04/xmlenc#"
	xenc11NS = "http://www.w3.org/2009/xmlenc11#"
)

func xenc(local string) name { return name{xencNS, local} }

// keySizes are the ciphers of an assertion. All are authenticated; CBC is not.
var keySizes = map[string]int{xenc11NS + "aes128-gcm": 16, xenc11NS + "aes192-gcm": 24, xenc11NS + "aes256-gcm": 32}

// digests and masks are the hashes of OAEP, by their names in the digest method
// and in the mask generation function. PKCS #1 v1.5 wraps no key here.
var (
	digests = map[string]crypto.Hash{
		signatureNS + "sha1": crypto.SHA1, xencNS + "sha256": crypto.SHA256,
		"http://www.w3.org/2001/04/xmldsig-more#sha384": crypto.SHA384, xencNS + "sha512": crypto.SHA512,
	}
	masks = map[string]crypto.Hash{
		xenc11NS + "mgf1sha1": crypto.SHA1, xenc11NS + "mgf1sha256": crypto.SHA256,
		xenc11NS + "mgf1sha384": crypto.SHA384, xenc11NS + "mgf1sha512": crypto.SHA512,
	}
)

// readDecryptionKey reads the private RSA key of a PEM file, in PKCS #8. What
// else is in the file, such as the certificate, is the IdP's business.
func readDecryptionKey(file string) (*rsa.PrivateKey, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading decryption_key_file: %w", err)
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "PRIVATE KEY" {
			continue
		}
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		key, isRSA := parsed.(*rsa.PrivateKey)
		if err != nil || !isRSA || key.N.BitLen() < 2048 {
			break
		}
		return key, nil
	}
	return nil, fmt.Errorf("reading decryption_key_file: %s must hold a private RSA key of 2048 bits or more, in PKCS #8", file)
}

// errSealed is all that is said of a ciphertext that cannot be opened.
var errSealed = errors.New("the encrypted assertion cannot be decrypted with the provider's key")

// Content models of an encrypted assertion: one key, wrapped for us, and one
// text. Nothing points elsewhere.
var (
	sealedModel    = []part{{xenc("EncryptedData"), 1, 1}}
	dataModel      = []part{{xenc("EncryptionMethod"), 1, 1}, {ds("KeyInfo"), 1, 1}, {xenc("CipherData"), 1, 1}}
	keyModel       = []part{{xenc("EncryptionMethod"), 1, 1}, {ds("KeyInfo"), 0, 1}, {xenc("CipherData"), 1, 1}}
	keyInfoModel   = []part{{xenc("EncryptedKey"), 1, 1}, {ds("KeyName"), 0, 4}, {ds("X509Data"), 0, 1}}
	recipientModel = []part{{ds("KeyName"), 0, 4}, {ds("X509Data"), 0, 1}}
	oaepModel      = []part{{ds("DigestMethod"), 0, 1}, {name{xenc11NS, "MGF"}, 0, 1}}
	cipherModel    = []part{{xenc("CipherValue"), 1, 1}}
)

// unseal gives the text of an EncryptedAssertion. Shape and ciphers are looked
// at before the key is used; after that every failure is the same one.
func unseal(sealed *element, key *rsa.PrivateKey) ([]byte, error) {
	data := sealed.only(xenc("EncryptedData"))
	wrapped := data.only(ds("KeyInfo")).only(xenc("EncryptedKey"))
	if err := sealedShape(sealed, data, wrapped); err != nil {
		return nil, err
	}
	size, known := keySizes[method(data)]
	if !known {
		return nil, fmt.Errorf("the assertion is encrypted by %.100q; only AES-GCM is accepted", method(data))
	}
	how, err := unwrapping(wrapped)
	if err != nil {
		return nil, err
	}
	return open(ciphertext(data), contentKey(ciphertext(wrapped), key, how, size))
}

// sealedShape holds an EncryptedAssertion against the content models.
func sealedShape(sealed, data, wrapped *element) error {
	for _, rule := range []struct {
		el    *element
		model []part
	}{
		{sealed, sealedModel}, {data, dataModel}, {data.only(xenc("EncryptionMethod")), nil}, {data.only(ds("KeyInfo")), keyInfoModel}, {data.only(xenc("CipherData")), cipherModel},
		{wrapped, keyModel}, {wrapped.only(xenc("EncryptionMethod")), oaepModel}, {wrapped.only(ds("KeyInfo")), recipientModel}, {wrapped.only(xenc("CipherData")), cipherModel},
	} {
		if rule.el == nil {
			continue // its parent's model wants it, or not
		}
		if err := rule.el.matches(rule.model); err != nil {
			return fmt.Errorf("encrypted: %w", err)
		}
	}
	if kind, _ := data.attr("Type"); kind != xencNS+"Element" {
		return errors.New("what is encrypted is not of the type Element")
	}
	return nil
}

// method is the algorithm of an EncryptedData or EncryptedKey.
func method(el *element) string {
	algorithm, _ := el.only(xenc("EncryptionMethod")).attr("Algorithm")
	return algorithm
}

// unwrapping reads how the key was wrapped: by OAEP.
func unwrapping(wrapped *element) (*rsa.OAEPOptions, error) {
	how := wrapped.only(xenc("EncryptionMethod"))
	digest, mgf := how.only(ds("DigestMethod")), how.only(name{xenc11NS, "MGF"})
	hash, mask := hashOf(digest, digests), hashOf(mgf, masks)
	algorithm := method(wrapped)
	named := algorithm == xenc11NS+"rsa-oaep" || algorithm == xencNS+"rsa-oaep-mgf1p" && mgf == nil
	if !named || hash == 0 || mask == 0 {
		return nil, fmt.Errorf("the assertion's key is encrypted by %.100q; only RSA-OAEP with known hashes is accepted", algorithm)
	}
	return &rsa.OAEPOptions{Hash: hash, MGFHash: mask}, nil
}

// hashOf is the hash that an element names: SHA-1 where there is no element
// (RFC 8017, A.2.1), and none where it names none that is known.
func hashOf(el *element, known map[string]crypto.Hash) crypto.Hash {
	if el == nil {
		return crypto.SHA1
	}
	algorithm, _ := el.attr("Algorithm")
	return known[algorithm]
}

// ciphertext is the value in an EncryptedData or EncryptedKey. What is no
// base64 is a ciphertext that opens nothing.
func ciphertext(el *element) []byte {
	value := el.only(xenc("CipherData")).only(xenc("CipherValue"))
	raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(value.text), ""))
	if err != nil {
		return nil
	}
	return raw
}

// contentKey unwraps a key; where that fails, it is a random one, which opens
// nothing and takes as long.
func contentKey(encrypted []byte, key *rsa.PrivateKey, how *rsa.OAEPOptions, size int) []byte {
	random := make([]byte, size)
	_, _ = rand.Read(random) // it never fails
	if unwrapped, err := key.Decrypt(nil, encrypted, how); err == nil && len(unwrapped) == size {
		return unwrapped
	}
	return random
}

func open(text, key []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, errSealed
	}
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, errSealed
	}
	plain, err := gcm.Open(nil, nil, text, nil)
	if err != nil {
		return nil, errSealed
	}
	return plain, nil
}
