package login

import (
	"context"
	"strings"

	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/session"
)

// Codes of an observed login.
const (
	CodeObserved refusal.Code = "application_signs_in"
	CodeNoEmail  refusal.Code = "email_missing"
)

// Observed is an assertion consumer service of the application's own, at
// which Rolepass reads along.
type Observed struct {
	IdP IdP
	// Organization is the application's number for whose members the ACS is;
	// 0: it does not say.
	Organization int64
}

// Observes says whether a POST to the path is one that is read along.
func (s *Service) Observes(path string) bool { _, ok := s.Observed[path]; return ok }

// Observe reads an assertion on its way to the application, which gets it
// unchanged and decides for itself. The page holds the cookie of a session, or
// the reason why there is none; nobody sees it. Neither the application's
// request nor its verdict is known here, so the session is worth nothing until
// the application, asked as this browser, names the assertion's person.
func (s *Service) Observe(ctx context.Context, r Request) Page {
	var steps []Step
	kept, token, err := s.observe(ctx, r, &steps)
	if err != nil {
		return s.refuseError(r, err).after(steps)
	}
	page := Page{Status: 200, Event: "login", Session: kept, Steps: steps}
	page.set("set-cookie", session.SetCookie(token))
	return page
}

func (s *Service) observe(ctx context.Context, r Request, steps *[]Step) (*session.Session, string, error) {
	at, ok := s.Observed[r.Path]
	if !ok {
		return nil, "", refusal.New(refusal.Forbidden, CodeLoginUnknown, "no assertion is expected at this address")
	}
	encoded, _, ref := readForm(r)
	if ref != nil {
		return nil, "", ref
	}
	sp := at.IdP.SP()
	a, err := s.verifyWith(ctx, sp, encoded, saml.Expect{AnyRequest: true})
	if err != nil {
		return nil, "", err
	}
	if a.Principal.Email == "" {
		return nil, "", refusal.New(refusal.Forbidden, CodeNoEmail, "the assertion gives no e-mail address, by which the application's person is known: let the identity provider send one, or name its attribute in idps attributes")
	}
	var kept *session.Session
	var token string
	err = s.unlessEnded(ctx, a, func() (*session.Session, error) {
		over, err := s.begins(ctx, personOf(a.Principal))
		if err != nil {
			return nil, err
		}
		defer over()
		if err := s.useOnce(ctx, pending{Started: a.IssueInstant}, a, sp); err != nil {
			return nil, err
		}
		kept, token, err = s.enterObserved(ctx, at, a, encoded, steps)
		return kept, err
	})
	if err != nil {
		return nil, "", err
	}
	return kept, token, nil
}

// enterObserved takes the credentials of an observed login and keeps its session.
func (s *Service) enterObserved(ctx context.Context, at Observed, a *saml.Assertion, encoded string, steps *[]Step) (*session.Session, string, error) {
	roles := s.usableRoles(a)
	if len(roles) == 0 {
		return nil, "", noRole(a)
	}
	err := s.takeRoles(ctx, a, encoded, roles)
	*steps = stsSteps(roles)
	if err != nil {
		return nil, "", err
	}
	kept, token, err := s.keep(ctx, a, member{organization: at.Organization}, roles)
	if err != nil {
		return nil, "", err
	}
	return kept, token, s.settle(ctx, pending{}, kept)
}

// Left ends a session whose application left for its own logout, or says that
// the browser is somebody else's. The headers take the cookie back.
func (s *Service) Left(ctx context.Context, r Request) Page {
	page := s.Logout(ctx, r)
	kept := page.Header[:0]
	for _, header := range page.Header {
		// The application's own cookie and where it leads are its own.
		if header.Name == "clear-site-data" || header.Name == "set-cookie" && strings.HasPrefix(header.Value, session.CookieName+"=") {
			kept = append(kept, header)
		}
	}
	page.Header = kept
	return page
}

// notOurs is the answer of the pages of a login that the application does.
func (s *Service) notOurs(r Request) Page {
	return s.Refuse(r, refusal.New(refusal.Forbidden, CodeObserved, "the application signs people in (label_studio sign_in: observe); Rolepass has no login of its own"))
}
