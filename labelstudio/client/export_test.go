package client

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
