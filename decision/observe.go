package decision

import (
	"context"

	"github.com/rolepass/rolepass/labelstudio"
	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/refusal"
)

// observe reads an assertion that is on its way to the application's own
// consumer service. The POST goes on as it came, whatever was read: the
// application decides who signs in, and says so when it is asked.
func (d *Decider) observe(ctx context.Context, r *Request, e *Event) Decision {
	if r.Method != "POST" {
		return d.along(r, e, login.Page{})
	}
	ctx, cancel := context.WithTimeout(ctx, d.Deadlines.Login)
	defer cancel()
	page := d.Login.Observe(ctx, r.forLogin(d.PublicOrigin))
	if page.Refusal != nil {
		page.Header = nil
	}
	return d.along(r, e, page)
}

// along passes a request as the browser's own, with what a page of ours has to
// say to the browser set on the application's answer.
func (d *Decider) along(r *Request, e *Event, page login.Page) Decision {
	e.Page, e.Refusal, e.Session = page.Event, page.Refusal, page.Session
	e.Steps = append(e.Steps, page.Steps...)
	out := Decision{Kind: PassOwn, Code: "pass", Session: handle(e.Session), Cookie: d.cookiesForApp(r.CookieLines), Header: page.Header}
	if page.Refusal != nil {
		out.Code = page.Refusal.Code
	}
	return out
}

// unknown is a request without a session where the application signs people
// in: its pages are its own, data and side doors are nobody's.
func (d *Decider) unknown(r *Request, e *Event, reading labelstudio.Reading) Decision {
	switch reading.Kind {
	case labelstudio.App, labelstudio.SignIn:
		return d.along(r, e, login.Page{})
	case labelstudio.Refused:
		return d.refuse(r, e, reading.Refusal)
	}
	return d.refuse(r, e, refusal.New(refusal.Unauthenticated, CodeNoSession, "nobody is signed in whose assertion Rolepass has read: the person signs in to the application again, by SAML"))
}

// leave ends the session of a browser that the application knows as somebody
// else: its cookie has changed hands.
func (d *Decider) leave(ctx context.Context, r *Request) {
	if d.Observer {
		d.Login.Left(ctx, r.forLogin(d.PublicOrigin))
	}
}
