package login

import (
	"context"
	"errors"
	"sync"

	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/session"
)

// CodeEndedMeanwhile is a login whose person was signed out before it was done.
const CodeEndedMeanwhile refusal.Code = "ended_meanwhile"

// entering are the logins under way: verified, and not yet among the sessions,
// where a logout would find them. STS may take seconds, and what ends
// somebody's sessions in that time is about this one, too. The zero value is ready.
type entering struct {
	mu  sync.Mutex
	all map[*entrance]struct{}
}

// entrance is one login under way.
type entrance struct {
	as    session.Listed // without an ID
	ended bool
}

// listedAs is what the list of sessions will say of a login.
func listedAs(a *saml.Assertion) session.Listed {
	as := session.Listed{Principal: a.Principal, IdPSession: a.SessionIndex}
	for _, role := range a.Roles {
		as.Roles = append(as.Roles, role.ARN)
	}
	return as
}

func (e *entering) begins(as session.Listed) *entrance {
	one := &entrance{as: as}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.all == nil {
		e.all = map[*entrance]struct{}{}
	}
	e.all[one] = struct{}{}
	return one
}

// over takes a login out, and says whether it was ended.
func (e *entering) over(one *entrance) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.all, one)
	return one.ended
}

func (e *entering) end(wanted func(session.Listed) bool) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for one := range e.all {
		if !one.ended && wanted(one.as) {
			one.ended = true
			n++
		}
	}
	return n
}

// unlessEnded lets a login become a session, which ends with it if the person is
// signed out meanwhile. Whoever signs people out marks the logins under way first,
// and looks at those that wait and at the list of sessions afterwards; here the
// login is in one of these before the mark is read. So one of the two finds it. A
// login that waits is the caller's to forget.
func (s *Service) unlessEnded(ctx context.Context, a *saml.Assertion, enter func() (*session.Session, error)) (err error) {
	one := s.entering.begins(listedAs(a))
	var kept *session.Session
	defer func() {
		if s.entering.over(one) {
			err = errors.Join(refusal.New(refusal.Forbidden, CodeEndedMeanwhile, "the person was signed out (by themselves, the IdP or an operator) before their login was done: they sign in again"), s.undo(ctx, kept))
		}
	}()
	kept, err = enter()
	return err
}

// undo ends a session that nobody has the cookie of.
func (s *Service) undo(ctx context.Context, kept *session.Session) error {
	if kept == nil {
		return nil
	}
	return errors.Join(s.Sessions.End(ctx, kept), s.forget(ctx, kept))
}

// EndUnderWay ends logins that are no sessions yet: those under way, and those that
// wait to be tried again, in this order, since one may turn into the other. It comes
// before the list of sessions is read.
func (s *Service) EndUnderWay(wanted func(session.Listed) bool) int {
	n := s.entering.end(wanted)
	return n + s.waiting.end(wanted)
}

// of are the logins of a person.
func of(p saml.Principal) func(session.Listed) bool {
	return func(l session.Listed) bool { return l.Principal.IdP == p.IdP && l.Principal.NameID == p.NameID }
}
