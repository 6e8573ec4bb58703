package config

// mode reads mode. It is a word, and no yes or no: whoever reads the file sees
// what the other is.
func (s section) mode(c *Config) {
	c.Mode = Enforce
	v := s.get("mode")
	if !v.given() {
		return
	}
	switch mode := Mode(s.text(v)); mode {
	case Enforce, "":
	case Shadow:
		c.Mode = Shadow
		s.warn(v.place, "SHADOW MODE: nothing is enforced, so everybody reaches everything that Label Studio serves; write enforce, or remove the line, to protect anything")
	default:
		s.problem(v.place, "%q is no mode: write enforce or shadow", string(mode))
	}
}
