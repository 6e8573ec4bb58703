package signin

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
)

// Person is who the identity provider says signs in. It prints as nothing, so
// that no log names anybody.
type Person struct {
	// IdP is the entity id of the identity provider.
	IdP string
	// NameID is the persistent name that the IdP gave to the person.
	NameID string
	// Email is the address that the account gets.
	Email string
	// FirstName and LastName may be empty.
	FirstName string
	LastName  string
}

func (Person) String() string       { return "[person]" }
func (Person) GoString() string     { return "[person]" }
func (Person) LogValue() slog.Value { return slog.StringValue("[person]") }

// check refuses a person who cannot have an account.
func (p Person) check() error {
	if p.IdP == "" || p.NameID == "" {
		return refusal.New(refusal.Forbidden, CodePerson, "The assertion gives no persistent name for the person; let the identity provider send a persistent NameID.")
	}
	odd := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }
	name, domain, _ := strings.Cut(p.Email, "@")
	if name == "" || domain == "" || len(p.Email) > maxEmail || !utf8.ValidString(p.Email) || strings.ContainsFunc(p.Email, odd) {
		return refusal.New(refusal.Forbidden, CodePerson, "The assertion gives no e-mail address that Label Studio can use; let the identity provider send one.")
	}
	return nil
}

// maxEmail is the longest address that Label Studio's column holds.
const maxEmail = 254

// is compares an address of Label Studio with the person's.
func (p Person) is(email string) bool { return sameAddress(p.Email, email) }

// sameAddress compares as Label Studio does: in lower case, which is not all that
// EqualFold takes for the same.
func sameAddress(one, other string) bool {
	one, other = strings.ToLower(one), strings.ToLower(other)
	return one == other
}

// owns compares an address as strictly as an adoption needs it. Letters beyond
// ASCII may become others in lower case, and then the address of one person is
// another's (CVE-2019-19844): they must be the same as they stand.
func (p Person) owns(email string) bool {
	return p.Email == email || ascii(p.Email) && ascii(email) && p.is(email)
}

func ascii(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII })
}

// password derives the password of the person's account. Its 43 characters
// carry 256 bits; no person ever types or sees it.
func (p Person) password(key presign.Secret) string {
	return base64.RawURLEncoding.EncodeToString(p.derive(key, "rolepass label-studio password v1"))
}

// derive makes something that only the keyring can make, of the person and of
// what else it is about.
func (p Person) derive(key presign.Secret, about ...string) []byte {
	mac := hmac.New(sha256.New, []byte(key.Reveal()))
	for _, part := range append(about, p.IdP, p.NameID) {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		mac.Write(length[:])
		mac.Write([]byte(part))
	}
	return mac.Sum(nil)
}
