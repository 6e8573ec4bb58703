package telemetry

import (
	"errors"
	"regexp"
	"strings"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/refusal"
)

// longestText is how much of a foreign text is kept, in bytes.
const longestText = 512

var (
	// quotation is what an error quotes, up to the end if it is cut short.
	quotation = regexp.MustCompile(`"(?:[^"\\]|\\.)*(?:"|$)`)
	// address is a URL; its scheme, user and host are told apart.
	address = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)(?:[^\s"'/?#@]*@)?([^\s"'/?#]*)[^\s"']*`)
	// user is the name and password in a URL, query what follows a question mark.
	user  = regexp.MustCompile(`(://)[^\s"'/?#@]*@`)
	query = regexp.MustCompile(`\?[^\s"']+`)
	// target is a path with its query.
	target = regexp.MustCompile(`[^\s"']*\?[^\s"']+`)
	// credential is what follows the word that announces one.
	credential = regexp.MustCompile(`(?i)\b(bearer|basic|token)(\s+|=|:\s*)[A-Za-z0-9._~+/=%-]{8,}`)
	// run is a stretch that only a signature, a key, a token or an encoded
	// document has: words, host names and paths have dots and slashes before.
	run = regexp.MustCompile(`eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_.-]*|[A-Za-z0-9+=%_-]{40,}|[A-Za-z0-9+/=%_-]{97,}`)
)

// cause is the error underneath a refusal, for where something did not answer.
// Elsewhere the sentence says all there is, and the error may quote what was
// asked for; but that a location was not signed has one of few fixed reasons.
func cause(r *refusal.Refusal) string {
	if r.Cause == nil || r.Class != refusal.Unavailable && r.Code != decision.CodeNotSigned {
		return ""
	}
	if nested, ok := errors.AsType[*refusal.Refusal](r.Cause); ok {
		return string(nested.Code) + ": " + nested.Sentence
	}
	return scrubError(r.Cause)
}

// scrubError is the text of an error without what it repeats of somebody
// else's: of addresses the scheme and the host are left, of other quotations
// nothing. A peer can make net/http quote its Location header, which is as
// good as the object behind it.
func scrubError(err error) string {
	text := quotation.ReplaceAllStringFunc(err.Error(), func(quoted string) string {
		if found := address.FindStringSubmatch(quoted); found != nil {
			return found[1] + found[2]
		}
		return `"…"`
	})
	text = address.ReplaceAllString(text, "$1$2")
	return scrub(target.ReplaceAllString(text, "…"))
}

// scrub takes out of a text what opens something: queries, users and passwords
// of addresses, bearers, and what is too long to be a word. It bounds it, too.
func scrub(text string) string {
	text = user.ReplaceAllString(text, "$1")
	text = query.ReplaceAllString(text, "?…")
	text = credential.ReplaceAllString(text, "$1 …")
	text = run.ReplaceAllString(text, "…")
	if len(text) > longestText {
		text = strings.ToValidUTF8(text[:longestText], "") + "…"
	}
	return text
}
