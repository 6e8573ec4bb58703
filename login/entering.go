package login

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

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

// longestLogin is above what a login may take, with what is asked afterwards.
const longestLogin = time.Minute

// lastWords is how long the end of a login may ask the state, whatever is left of
// the login's own time.
const lastWords = 3 * time.Second

// unlessEnded lets a login become a session, which ends with it if the person is
// signed out meanwhile. Whoever signs people out marks the logins under way first,
// here and on other replicas, and looks at those that wait and at the list of
// sessions afterwards; here the login is in one of these before the mark is read.
// So one of the two finds it. A login that waits is the caller's to forget.
func (s *Service) unlessEnded(ctx context.Context, a *saml.Assertion, enter func() (*session.Session, error)) (err error) {
	one := s.entering.begins(listedAs(a))
	announced, err := s.Sessions.Announce(ctx, listedAs(a), longestLogin)
	if err != nil {
		s.entering.over(one)
		return err
	}
	var kept *session.Session
	defer func() { err = s.stillWanted(ctx, one, announced, kept, err) }()
	kept, err = enter()
	return err
}

// stillWanted gives a login's outcome, which is that it was ended if it was, or if
// that cannot be known.
func (s *Service) stillWanted(ctx context.Context, one *entrance, announced session.Announced, kept *session.Session, outcome error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	ended := s.entering.over(one)
	still, failed := s.Sessions.Withdraw(ctx, announced)
	switch {
	case ended || !still && failed == nil:
		return errors.Join(refusal.New(refusal.Forbidden, CodeEndedMeanwhile, "the person was signed out (by themselves, the IdP or an operator) before their login was done: they sign in again"), s.undo(ctx, kept))
	case failed != nil && kept != nil:
		return errors.Join(fmt.Errorf("asking whether a login was ended meanwhile: %w", failed), s.undo(ctx, kept))
	}
	return outcome
}

// undo ends a session that nobody has the cookie of.
func (s *Service) undo(ctx context.Context, kept *session.Session) error {
	if kept == nil {
		return nil
	}
	return errors.Join(s.Sessions.End(ctx, kept), s.forget(ctx, kept))
}

// EndUnderWay ends logins that are no sessions yet: those under way, on whichever
// replica, and those that wait to be tried again, in this order, since one may turn
// into the other. It comes before the list of sessions is read. It says how many
// there were.
func (s *Service) EndUnderWay(ctx context.Context, wanted func(session.Listed) bool) (int, error) {
	n, err := s.Sessions.EndAnnounced(ctx, wanted)
	n = max(n, s.entering.end(wanted)) // what is announced has this process's among it
	return n + s.waiting.end(wanted), err
}

// of are the logins of a person.
func of(p saml.Principal) func(session.Listed) bool {
	return func(l session.Listed) bool { return l.Principal.IdP == p.IdP && l.Principal.NameID == p.NameID }
}
