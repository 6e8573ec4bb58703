package login

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/session"
)

// CodeNoSession is the refusal of what needs a session and has none.
const CodeNoSession refusal.Code = "no_session"

// whoAmI shows a person what Rolepass knows of them: their roles, and the
// roles that could not be taken.
func (s *Service) whoAmI(ctx context.Context, r Request) Page {
	who, page, ok := s.signedInOr(ctx, r)
	if !ok {
		return page
	}
	view := struct {
		IdP     string           `json:"idp"`
		Name    string           `json:"name"`
		Roles   []string         `json:"roles"`
		Missed  []session.Missed `json:"missed"`
		Expires string           `json:"expires"`
	}{who.Principal.IdP, who.Principal.SessionName, who.Roles, who.Missed, who.Expires.UTC().Format(time.RFC3339)}
	var p Page
	if r.HTML {
		p = render(http.StatusOK, "whoami", view)
	} else {
		p = bare(http.StatusOK)
		p.set("content-type", "application/json")
		body, err := json.Marshal(view)
		if err != nil {
			return s.broken(r, err)
		}
		p.Body = append(body, '\n')
	}
	p.Event, p.Session = "whoami", who
	return p
}

// signedInOr gives the session, or the page to show without one.
func (s *Service) signedInOr(ctx context.Context, r Request) (*session.Session, Page, bool) {
	who, err := s.Sessions.Find(ctx, r.CookieLines)
	if errors.Is(err, session.ErrNone) {
		return nil, s.Refuse(r, refusal.New(refusal.Unauthenticated, CodeNoSession, "nobody is signed in")), false
	}
	if err != nil {
		return nil, s.broken(r, err), false
	}
	return who, Page{}, true
}
