package decision

import (
	"context"

	"github.com/rolepass/rolepass/labelstudio"
	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/refusal"
)

// ownPage is answered by package login, within its deadline.
func (d *Decider) ownPage(ctx context.Context, r *Request, e *Event) Decision {
	ctx, cancel := context.WithTimeout(ctx, d.Deadlines.Login)
	defer cancel()
	return d.shown(e, d.Login.Handle(ctx, r.forLogin(d.PublicOrigin)))
}

// logout is the application's own logout: it ends our session, and with it
// everything that the application would know of the person.
func (d *Decider) logout(ctx context.Context, r *Request, e *Event) Decision {
	ctx, cancel := context.WithTimeout(ctx, d.Deadlines.Login)
	defer cancel()
	if d.Observer {
		return d.along(r, e, d.Login.Left(ctx, r.forLogin(d.PublicOrigin)))
	}
	return d.shown(e, d.Login.Logout(ctx, r.forLogin(d.PublicOrigin)))
}

// nobody is who has no session. A person is led to the IdP, to come back to
// where they were going; a picture or a script cannot sign in. What is for
// everybody passes, with nothing that says who asks.
func (d *Decider) nobody(ctx context.Context, r *Request, e *Event, reading labelstudio.Reading) Decision {
	if reading.Anonymous {
		return Decision{Kind: Open, Code: "open"}
	}
	if len(d.Workloads) > 0 && r.Token != "" && reading.Kind == labelstudio.Fetch {
		return d.workload(ctx, r, e, reading)
	}
	if d.APIClients && (r.AppToken || labelstudio.GivesToken(r.Method, r.Target)) && labelstudio.InAPI(r.Target) {
		return d.apiClient(r, e, reading)
	}
	if d.Observer {
		return d.unknown(r, e, reading)
	}
	if !r.navigation() {
		return d.refuse(r, e, refusal.New(refusal.Unauthenticated, CodeNoSession, "nobody is signed in"))
	}
	from := r.forLogin(d.PublicOrigin)
	if r.Method != "GET" || reading.Kind != labelstudio.App && reading.Kind != labelstudio.Fetch {
		from.Target = d.Mount + "/"
	}
	return d.shown(e, d.Login.Start(ctx, from))
}

// toFront answers the application's own login form for somebody who is signed
// in already.
func (d *Decider) toFront(e *Event) Decision {
	page := login.Page{Status: 303, Event: "front", Session: e.Session, Header: []login.Header{
		{Name: "location", Value: d.Mount + "/"}, {Name: "cache-control", Value: "no-store"},
	}}
	return d.shown(e, page)
}

// shown is the decision to answer with a page.
func (d *Decider) shown(e *Event, page login.Page) Decision {
	out := Decision{Kind: Page, Code: "page", Answer: page}
	if page.Refusal != nil {
		out.Code = page.Refusal.Code
	}
	if page.Refusal != nil && page.Status >= 400 {
		out.Kind = Refuse
	}
	if page.Session != nil {
		e.Session = page.Session
	}
	e.Page, e.Refusal = page.Event, page.Refusal
	e.Steps = append(e.Steps, page.Steps...)
	out.Session = handle(e.Session)
	return out
}
