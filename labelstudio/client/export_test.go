package client

// Bound makes the client keep at most so many bytes.
func (c *Client) Bound(bytes int) { c.bound = bytes }

// Held is how many answers and bytes the client keeps, and of how many
// sessions.
func (c *Client) Held() (answers, bytes, sessions int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept.Len(), c.bytes, len(c.of)
}
