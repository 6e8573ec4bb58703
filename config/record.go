package config

// audit reads where decisions are written down.
func (s section) audit(c *Config) {
	c.Audit = "stdout"
	if v := s.get("audit"); v.given() {
		if c.Audit = s.text(v); c.Audit != "" && c.Audit != "stdout" {
			c.Audit = s.filename(v)
		}
	}
}

// record reads what is kept for `rolepass replay`.
func (s section) record(c *Config) {
	v := s.get("record")
	if !v.given() {
		return
	}
	r := s.section(v, "file", "keys")
	c.Record = Record{File: r.filename(r.need("file", "give the file that decisions are appended to")), Keys: r.boolean(r.get("keys"))}
	if c.Record.Keys {
		s.warn(v.place, "object keys are recorded as they are: what they say of people is in the file, which only Rolepass's own user can read")
	}
}
