package saml

import "github.com/rolepass/rolepass/refusal"

// Stable is the round-trip check on its own.
func Stable(document string) *refusal.Refusal { return stable([]byte(document)) }

// Agree compares what two documents say, as Verify compares its two readers.
func Agree(one, other []byte) *refusal.Refusal {
	_, first, refused := examine(one)
	if refused != nil {
		return refused
	}
	_, second, refused := examine(other)
	if refused != nil {
		return refused
	}
	return agree(first, second)
}
