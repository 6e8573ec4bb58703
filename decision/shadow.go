package decision

import (
	"strings"

	"github.com/rolepass/rolepass/refusal"
)

// In shadow nothing that was decided happens: a request goes on to the
// application as it came, whatever the decision was, and only a page that is
// our own is answered. There is no decision that is enforced in part: one that
// refuses but adds no bearer, or adds a bearer but refuses nothing, would be a
// new system that nobody designed.

// unenforced is what happens in shadow in the place of a decision.
func (d *Decider) unenforced(r *Request, decided Decision) Decision {
	if d.answersInShadow(r) {
		return decided
	}
	out := d.untouched(decided.Code, decided.Session, r.CookieLines)
	if d.Login.Observes(r.path()) && decided.Kind == PassOwn {
		out.Header = decided.Header // our own cookie, beside the application's
	}
	return out
}

// answersInShadow says that a request is for a page of our own, which the
// application does not have. Its own login and logout are not ours here.
func (d *Decider) answersInShadow(r *Request) bool { return d.Login.Owns(r.path()) }

// Unread is what happens in shadow to a request that could not be read, so that
// nothing could be decided. What is known of it is in r: one that may be for a
// page of our own is refused, since it may carry an assertion.
func (d *Decider) Unread(r Request, code refusal.Code) Decision {
	if !d.Shadow || r.Target == "" || d.answersInShadow(&r) {
		return Decision{}
	}
	return d.untouched(code, "", r.CookieLines)
}

// untouched lets a request go on as it came. What is our own is taken out: our
// cookies, which without us would not be there and are no business of the
// application's, and the header in which it takes a location from us.
func (d *Decider) untouched(code refusal.Code, handle string, lines []string) Decision {
	left, changed := withoutOwnCookies(lines)
	return Decision{Kind: Untouched, Code: code, Session: handle, Cookie: left, CookieChanged: changed, LocationHeader: d.LocationHeader}
}

// withoutOwnCookies keeps everything else byte for byte, well-formed or not.
func withoutOwnCookies(lines []string) (left string, changed bool) {
	var kept []string
	for _, line := range lines {
		for pair := range strings.SplitSeq(line, ";") {
			pair = strings.Trim(pair, " \t")
			if strings.HasPrefix(pair, ownCookies) {
				changed = true
			} else if pair != "" {
				kept = append(kept, pair)
			}
		}
	}
	return strings.Join(kept, "; "), changed
}
