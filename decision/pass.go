package decision

import (
	"context"
	"slices"
	"strings"

	"github.com/rolepass/rolepass/labelstudio"
	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/session"
)

// pass hands a request to the application, as the person and with nothing
// else of the browser's that says who asks.
func (d *Decider) pass(ctx context.Context, r *Request, e *Event, who *session.Session) Decision {
	if !r.safe() && !r.sameOrigin(d.PublicOrigin) {
		return d.refuse(r, e, refusal.New(refusal.Forbidden, CodeCrossOrigin,
			"a %s did not come from the application's own pages (Origin, Sec-Fetch-Site): the bearer that Rolepass adds would carry out what another site asks for", r.Method))
	}
	if d.Read == nil {
		d.opened(r, who)
	}
	if d.Read != nil || d.OwnSignIn {
		return Decision{Kind: PassOwn, Code: "pass", Session: who.Handle(), Cookie: d.cookiesForApp(r.CookieLines), LocationHeader: d.LocationHeader}
	}
	bearer, err := d.Bearer(ctx, who.AppUser)
	if err != nil {
		return d.refuseError(r, e, err, refusal.New(refusal.Unavailable, CodeBearer, "no bearer for the application could be made: see the cause"))
	}
	return Decision{Kind: Pass, Code: "pass", Session: who.Handle(), Authorization: bearer, Cookie: d.cookiesForApp(r.CookieLines)}
}

// sideDoor passes administrators only: behind it the application reads S3
// under its own key, or sends data to an address that a member names, and the
// person's roles would have no say. An import with the tasks in it is none.
func (d *Decider) sideDoor(ctx context.Context, r *Request, e *Event, who *session.Session, door labelstudio.Door) Decision {
	if door == labelstudio.DoorImport && labelstudio.CarriesTasks(r.ContentType) ||
		door == labelstudio.DoorAccount && labelstudio.ChangesAccount(r.Method, r.Target, who.AppUser) {
		return d.pass(ctx, r, e, who)
	}
	e.Door = door
	for _, role := range who.Roles {
		if slices.Contains(d.Administrators, role) {
			return d.administrators(ctx, r, e, who)
		}
	}
	return d.refuse(r, e, refusal.New(refusal.Forbidden, CodeSideDoor,
		"the application does this under its own S3 key, for an address that a member names, or to another's account (%s): it is for the roles under label_studio administrators", door))
}

// administrators passes somebody with an administrator's role. Where the
// application keeps its own login, that must be the same person's: else the role
// of one would open the door for another.
func (d *Decider) administrators(ctx context.Context, r *Request, e *Event, who *session.Session) Decision {
	if d.OwnSignIn {
		soon := within(ctx, d.Deadlines.Question)
		defer soon.cancel()
		if _, err := d.browser(soon, r, e, who); err != nil {
			return d.refuseError(r, e, err, refusal.New(refusal.Unavailable, CodeState, "the application could not be asked: see the cause"))
		}
	}
	return d.pass(ctx, r, e, who)
}

// ownCookies begin the names of Rolepass's own cookies.
const ownCookies = "__Host-rolepass"

// cookiesForApp leaves what the application may see: not our cookies, nor,
// where we say who asks, those by which it would know somebody.
func (d *Decider) cookiesForApp(lines []string) string {
	var space [1024]byte // longer ones go to the heap
	left := space[:0]
	for name, value := range session.Cookies(lines) {
		if strings.HasPrefix(name, ownCookies) || !d.OwnSignIn && d.isAppCookie(name) {
			continue
		}
		if len(left) > 0 {
			left = append(left, "; "...)
		}
		left = append(append(append(left, name...), '='), value...)
	}
	return string(left)
}

func (d *Decider) isAppCookie(name string) bool {
	for _, app := range d.AppCookies {
		if strings.EqualFold(name, app) {
			return true
		}
	}
	return false
}
