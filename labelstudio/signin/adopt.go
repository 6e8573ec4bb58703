package signin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/rolepass/rolepass/refusal"
)

// adopt binds an account that somebody else made to the person whose address it
// has. It is looked at once more, as it is now, by one login at a time. What
// else opens it is revoked, since whoever made it under somebody's address may
// have kept a token: its form and its cookies do not pass Rolepass anyway.
func (a *Accounts) adopt(ctx context.Context, person Person, member account) (account, error) {
	a.adopting.Lock()
	defer a.adopting.Unlock()
	now, err := a.member(ctx, member.ID)
	if err != nil {
		return account{}, err
	}
	if now.marked() && !a.carriesMark(now, person) || !person.owns(now.Email) || now.ID == a.Owner {
		return account{}, notBound()
	}
	if now.Organization <= 0 {
		if err := a.activate(ctx, now.ID); err != nil {
			return account{}, err
		}
	}
	if err := a.adoptable(ctx, now); err != nil {
		return account{}, err
	}
	if err := a.revoke(ctx, now.ID); err != nil {
		return account{}, err
	}
	return now, a.mark(ctx, now, person)
}

// member asks, as the owner, how an account is now.
func (a *Accounts) member(ctx context.Context, id int64) (account, error) {
	authorization, err := a.Bearer(ctx, a.Owner)
	if err != nil {
		return account{}, unavailable(err)
	}
	var now account
	if err := a.studio().get(ctx, userPath(id), bearing(authorization), &now); err != nil {
		return account{}, err
	}
	if now.ID != id {
		return account{}, unavailable(errors.New("asked for one user, Label Studio names another"))
	}
	return now, nil
}

// activate lets a member work in the organization, as their first login would:
// an account that was made over the API has not had one.
func (a *Accounts) activate(ctx context.Context, id int64) error {
	owner, err := a.owner(ctx)
	if err != nil {
		return err
	}
	return a.change(ctx, a.Owner, id, map[string]any{"active_organization": owner.Organization})
}

// adoptable refuses the account of a program, of somebody who owns an
// organization or administrates Label Studio, and one that is not in use.
func (a *Accounts) adoptable(ctx context.Context, member account) error {
	if member.ID == a.Owner || slices.Contains(a.Programs, member.ID) {
		return privileged()
	}
	authorization, err := a.Bearer(ctx, member.ID)
	if err != nil {
		return unavailable(err)
	}
	as := bearing(authorization)
	var organizations []struct {
		ID int64 `json:"id"`
	}
	if err := a.studio().get(ctx, "/api/organizations/", as, &organizations); err != nil {
		return orInactive(err)
	}
	for _, one := range organizations {
		var of struct {
			CreatedBy int64 `json:"created_by"`
		}
		if err := a.studio().get(ctx, "/api/organizations/"+strconv.FormatInt(one.ID, 10), as, &of); err != nil {
			return err
		}
		if of.CreatedBy == member.ID {
			return privileged()
		}
	}
	return a.administratesNothing(ctx, as)
}

// administratesNothing asks for Django's administration as the account: whoever
// has no part in it is sent to its login.
func (a *Accounts) administratesNothing(ctx context.Context, as func(*http.Request)) error {
	request, err := a.studio().request(ctx, http.MethodGet, "/admin/", nil, nil)
	if err != nil {
		return unavailable(err)
	}
	as(request)
	response, err := a.studio().do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusFound:
		return nil
	case http.StatusOK:
		return privileged()
	}
	return unavailable(fmt.Errorf("/admin/ answered %d", response.StatusCode))
}

// revoke ends the tokens with which programs speak as an account.
func (a *Accounts) revoke(ctx context.Context, id int64) error {
	authorization, err := a.Bearer(ctx, id)
	if err != nil {
		return unavailable(err)
	}
	as := bearing(authorization)
	if err := a.studio().revokeTokens(ctx, as); err != nil {
		return err
	}
	return a.studio().post(ctx, "/api/current-user/reset-token/", as, struct{}{}, nil, http.StatusCreated)
}

func privileged() error {
	return refusal.New(refusal.Forbidden, CodePrivileged, "The person's address is that of an owner, an administrator or a program in Label Studio, whose accounts are never adopted. Give the person another account there, or another address at the identity provider.")
}

// orInactive reads a bearer that is not taken. The owner's was, a moment ago, so
// it is the account that Label Studio does not let in.
func orInactive(err error) error {
	if refusal.CodeOf(err) == CodeBearer {
		return inactive()
	}
	return err
}
