package signin

import (
	"context"
	"errors"
	"net/url"
	"strconv"

	"github.com/rolepass/rolepass/refusal"
)

const (
	// perPage is how many members one question gives, and maxPages how many are
	// asked: the two bound what an organization may cost.
	perPage  = 200
	maxPages = 500
)

// owner is the organization's owner as an account, as whom we ask.
func (a *Accounts) owner(ctx context.Context) (account, error) {
	authorization, err := a.Bearer(ctx, a.Owner)
	if err != nil {
		return account{}, unavailable(err)
	}
	who, err := a.whoami(ctx, bearing(authorization))
	if err == nil && who.Organization <= 0 {
		err = refusal.New(refusal.Unavailable, CodeNoOrganization, "The user of owner_id is in no organization of Label Studio; sign in to Label Studio as its owner once, so that there is an organization.")
	}
	return who, err
}

// members lists the organization's accounts. Of those that were removed Label
// Studio gives the number only.
func (a *Accounts) members(ctx context.Context) ([]account, error) {
	owner, err := a.owner(ctx)
	if err != nil {
		return nil, err
	}
	authorization, err := a.Bearer(ctx, a.Owner)
	if err != nil {
		return nil, unavailable(err)
	}
	path := "/api/organizations/" + strconv.FormatInt(owner.Organization, 10) + "/memberships"
	var all []account
	for page := 1; page <= maxPages; page++ {
		var part struct {
			Next    *string `json:"next"`
			Results []struct {
				User account `json:"user"`
			} `json:"results"`
		}
		query := url.Values{"page": {strconv.Itoa(page)}, "page_size": {strconv.Itoa(perPage)}}
		if err := a.studio().getPart(ctx, path, query, bearing(authorization), &part); err != nil {
			return nil, err
		}
		for _, one := range part.Results {
			all = append(all, one.User)
		}
		if part.Next == nil {
			return all, nil
		}
	}
	return nil, unavailable(errors.New("the organization's members do not end"))
}
