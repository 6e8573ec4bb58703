package saml

import "github.com/rolepass/rolepass/refusal"

// Rules are the names of our own rules about a verified statement.
func Rules() []string {
	var names []string
	for _, r := range rules {
		names = append(names, r.name)
	}
	return names
}

// VerifyWithout is Verify with one of the rules left out.
func (sp *ServiceProvider) VerifyWithout(name, encoded string, expect Expect) (*Assertion, *refusal.Refusal) {
	var others []rule
	for _, r := range rules {
		if r.name != name {
			others = append(others, r)
		}
	}
	return sp.verify(encoded, expect, others)
}

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
