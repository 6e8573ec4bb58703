package config

// mode reads mode. It is a word, and no yes or no: whoever reads the file sees
// what the other is.
func (s section) mode(c *Config) {
	c.Mode = Mode(s.word("mode", string(Enforce), string(Shadow)))
	if c.Mode == Shadow {
		s.warn(s.at("mode"), "SHADOW MODE: nothing is enforced, so everybody reaches everything that Label Studio serves; write enforce, or remove the line, to protect anything")
	}
}
