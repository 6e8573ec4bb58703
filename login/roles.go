package login

import (
	"cmp"
	"context"

	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/session"
	"golang.org/x/sync/errgroup"
)

const (
	// mostRoles is how many granted roles of one assertion are taken.
	mostRoles = 32
	// atOnce is how many questions STS is asked at the same time.
	atOnce = 8
)

// usable is a role of a login with everything that its credentials need.
type usable struct {
	role     saml.Role
	policies []string
	taken    []*presign.Credentials
	err      error
	step     Step
}

// usableRoles are the roles that are both asserted and granted. Those that are
// too many are there with the reason, so that the person sees them.
func (s *Service) usableRoles(a *saml.Assertion) []*usable {
	var roles []*usable
	taken := map[string]bool{} // a role may be asserted by two providers, and is taken once
	for _, role := range a.Roles {
		if taken[role.ARN] || !s.Grants.Granted(role.ARN) || s.Exchanger(role.ARN) == nil {
			continue
		}
		taken[role.ARN] = true
		if len(roles) >= mostRoles {
			roles = append(roles, &usable{role: role, err: refusal.New(refusal.Forbidden, CodeManyRoles, "of one assertion %d granted roles are taken, and this one is beyond them: let the IdP assert fewer", mostRoles)})
			continue
		}
		policies, err := s.Grants.SessionPolicies(role.ARN)
		roles = append(roles, &usable{role: role, policies: policies, err: err})
	}
	return roles
}

// takeRoles exchanges the assertion for every role at once: STS takes it for
// five minutes only. A role that fails is left out; one role is enough. If
// STS reads the assertion differently from us, nothing is kept at all.
func (s *Service) takeRoles(ctx context.Context, a *saml.Assertion, encoded string, roles []*usable) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, u := range roles {
		if u.err != nil {
			continue
		}
		group.Go(func() error {
			began := s.Now()
			u.taken, u.err = s.takeRole(ctx, a, encoded, u)
			u.step = s.step(StepSTS, u.role.ARN, began, u.err)
			if refusal.CodeOf(u.err) == credcache.CodeMismatch {
				return u.err
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return anyTaken(roles)
}

// takeRole asks for one role, once per shard of its session policies. A panic
// is one role's failure, not the end of the process.
func (s *Service) takeRole(ctx context.Context, a *saml.Assertion, encoded string, u *usable) (taken []*presign.Credentials, err error) {
	defer func() {
		if recover() != nil {
			taken, err = nil, refusal.New(refusal.Unavailable, CodeInternal, "taking role %s failed within Rolepass: report this", u.role.ARN)
		}
	}()
	exchanger := s.Exchanger(u.role.ARN)
	for _, policy := range u.policies {
		credentials, err := exchanger.Exchange(ctx, credcache.Order{Role: u.role, Encoded: encoded, Assertion: a, Policy: policy})
		if err != nil {
			return nil, err
		}
		taken = append(taken, credentials)
	}
	return taken, nil
}

// anyTaken is nil if one role has credentials, else the first reason; one that
// may pass by itself counts before others, as the login may then be tried again.
func anyTaken(roles []*usable) error {
	var first error
	for _, u := range roles {
		if u.err == nil {
			return nil
		}
		if first == nil || credcache.MayPass(u.err) && !credcache.MayPass(first) {
			first = u.err
		}
	}
	return first
}

// member is who a person is in the application.
type member struct{ user, organization int64 }

// keep writes the credentials and then the session, so that a session never
// exists without what it promises.
func (s *Service) keep(ctx context.Context, a *saml.Assertion, in member, roles []*usable) (*session.Session, string, error) {
	kept, token, err := s.Sessions.New(a.SessionNotOnOrAfter)
	if err != nil {
		return nil, "", err
	}
	kept.Principal, kept.AppUser, kept.Organization, kept.IdPSession = a.Principal, in.user, in.organization, a.SessionIndex
	for _, u := range roles {
		if u.err != nil {
			kept.Missed = append(kept.Missed, session.Missed{Role: u.role.ARN, Reason: reason(u.err)})
			continue
		}
		kept.Roles = append(kept.Roles, u.role.ARN)
		for shard, credentials := range u.taken {
			if err := s.Cache.Put(ctx, credcache.Key{Session: kept, Role: u.role.ARN, Shard: shard}, credentials); err != nil {
				return nil, "", err
			}
		}
	}
	return kept, token, s.Sessions.Keep(ctx, kept)
}

// reason is what a person may see of an error.
func reason(err error) string {
	return string(cmp.Or(refusal.CodeOf(err), CodeInternal))
}
