package decision

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/rolepass/rolepass/labelstudio"
	"github.com/rolepass/rolepass/labelstudio/client"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/session"
)

// asker is the person as whom the application is asked: by the credential that
// Rolepass gives them there, or by what their browser has of the application.
func (d *Decider) asker(ctx context.Context, r *Request, e *Event, who *session.Session, p *program) (client.Asker, error) {
	if p != nil {
		return p.asker, nil
	}
	if d.OwnSignIn {
		return d.browser(ctx, r, e, who)
	}
	bearer, err := d.Bearer(ctx, who.AppUser)
	if err != nil {
		return client.Asker{}, err
	}
	asker := byNumber(who)
	asker.Authorization = bearer
	return asker, nil
}

// byNumber names the person's credential with the application, without it.
func byNumber(who *session.Session) client.Asker {
	return client.Asker{Session: who.ID, Credential: strconv.FormatInt(who.AppUser, 10)}
}

// byCookie names the application's own session, which is the credential, too.
func byCookie(who *session.Session, cookie string) client.Asker {
	sum := sha256.Sum256([]byte(cookie))
	return client.Asker{Session: who.ID, Credential: hex.EncodeToString(sum[:16]), Person: who.Principal.IdP + "\x00" + who.Principal.NameID, Cookie: presign.Secret(cookie)}
}

// opened tells the client which page of tasks the person is about to see: its
// objects are asked for next, and the page can answer for all of them.
func (d *Decider) opened(r *Request, who *session.Session) {
	page, ok := labelstudio.ReadPage(r.Target)
	if !ok || r.Method != "GET" {
		return
	}
	asker := byNumber(who)
	if d.OwnSignIn {
		cookie, ok := d.appCookie(r.CookieLines)
		if !ok {
			return
		}
		asker = byCookie(who, cookie)
	}
	d.App.Opened(asker, client.Page(page))
}

// browser is the person as the application knows them by its own session in
// this browser. It must be the same person: the two logins are two, and one of
// them may be somebody else's.
func (d *Decider) browser(ctx context.Context, r *Request, e *Event, who *session.Session) (client.Asker, error) {
	cookie, ok := d.appCookie(r.CookieLines)
	if !ok {
		return client.Asker{}, refusal.New(refusal.Forbidden, CodeAppSignedOut, "the person is not signed in to the application in this browser (or has two of its session cookies): they sign in there, too")
	}
	asker := byCookie(who, cookie)
	person, err := d.App.Who(ctx, asker)
	e.asked(person.Waited, err)
	if err != nil {
		return client.Asker{}, never401(err)
	}
	if who.Principal.Email == "" || !strings.EqualFold(person.Email, who.Principal.Email) {
		d.leave(ctx, r)
		return client.Asker{}, refusal.New(refusal.Forbidden, CodeAppOther, "the application knows this browser as somebody else than the identity provider does: they sign out of both, and in again as one person")
	}
	return asker, nil
}

// appCookie gives the application's one session cookie, as name=value.
func (d *Decider) appCookie(lines []string) (string, bool) {
	found := ""
	for _, name := range d.AppCookies {
		value, ok := session.Cookie(lines, name)
		if !ok || value == "" {
			continue
		}
		if found != "" {
			return "", false
		}
		found = name + "=" + value
	}
	return found, found != ""
}
