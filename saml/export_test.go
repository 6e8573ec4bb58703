package saml

import "github.com/rolepass/rolepass/refusal"

// Stable is the round-trip check on its own.
func Stable(document string) *refusal.Refusal { return stable([]byte(document)) }

// Agree compares what two documents say, as Verify compares its two readers.
func Agree(one, other []byte) *refusal.Refusal {
	var said [2]statement
	for i, raw := range [][]byte{one, other} {
		root, refused := scan(raw, responseLimits)
		if refused == nil {
			said[i], refused = examine(root)
		}
		if refused != nil {
			return refused
		}
	}
	return agree(said[0], said[1])
}
