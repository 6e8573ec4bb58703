package config

import (
	"fmt"
	"time"
)

// soon is how long before an end it is worth a warning.
const soon = 14 * 24 * time.Hour

// Endings are the certificates and metadata that were read with the
// configuration and whose time is over at now, or ends within a fortnight. Load
// does not look at them: a Rolepass that starts again refuses what has ended by
// itself, with a sentence, and goes on with the rest.
func (c *Config) Endings(now time.Time) (over, ending Problems) {
	say := func(path, what string, end time.Time, then, mend string) {
		p := c.Problem(path, "")
		switch at := end.UTC().Format(time.RFC3339); {
		case !now.Before(end):
			p.Sentence = fmt.Sprintf("%s ended at %s, and %s: %s", what, at, then, mend)
			over = append(over, p)
		case end.Sub(now) <= soon:
			p.Sentence = fmt.Sprintf("%s ends at %s; then %s: %s", what, at, then, mend)
			ending = append(ending, p)
		}
	}
	for i, idp := range c.IdPs {
		if idp.Metadata == nil {
			continue // it is fetched, and a running Rolepass says so
		}
		end, what := idp.Metadata.Ends()
		say(fmt.Sprintf("idps[%d].metadata", i), idp.MetadataFile+": "+what, end, "every login is refused", "fetch it anew from the IdP, and give it to IAM, too")
	}
	if c.CheckTLS != nil && !c.CheckTLS.ends.IsZero() {
		say("check_tls.certificate", c.CheckTLS.Certificate, c.CheckTLS.ends, "Envoy takes no answer", "renew it")
	}
	return over, ending
}

// Problem is a sentence about a key of the configuration, at its line.
func (c *Config) Problem(path, sentence string) Problem {
	return Problem{c.read.file, c.read.at(path).line, path, sentence}
}
