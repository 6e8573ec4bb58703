package client

// Compare is compare.
var Compare = compare

// Held is how many answers and bytes the client keeps, and of how many
// sessions.
func (c *Client) Held() (answers, bytes, sessions int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	of := map[string]bool{}
	for q := range c.kept.Keys() {
		of[q.session] = true
	}
	return c.kept.Len(), c.bytes, len(of)
}

// Turns is how many turns are taken by the lookup of tokens, and Known how many
// tokens are remembered as a program's.
func (c *Client) Turns() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.owners.asked + c.owners.others + len(c.owners.from)
}

func (c *Client) Known() int { c.mu.Lock(); defer c.mu.Unlock(); return c.owners.known.Len() }

// Named is what data in JSON names.
func Named(data []byte) ([]string, error) {
	var n named
	err := n.UnmarshalJSON(data)
	return n, err
}
