package signin

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
)

// Accounts finds and makes people's accounts in Label Studio.
type Accounts struct {
	// Base is where Label Studio listens, without a path. Required.
	Base *url.URL
	// HTTP sends the requests; redirects are never followed. Required.
	HTTP *http.Client
	// Bearer gives the credential with which Label Studio is asked as one of
	// its users. Required.
	Bearer func(ctx context.Context, userID int64) (presign.Secret, error)
	// Opened is told of each account that opened, with the session cookie that
	// Label Studio gave: a Tokens takes its token then. May be nil.
	Opened func(ctx context.Context, userID int64, session *http.Cookie) error
	// Owner is the user id of the organization's owner, whose invitation new
	// accounts use and whose own account nobody gets.
	Owner int64
	// Keys derive the passwords, the newest first: it makes new accounts, and
	// every one of them opens the accounts that it made. At least one.
	Keys []presign.Secret
	// Rand gives the form tokens; crypto/rand.Reader outside tests.
	Rand io.Reader
	// Log is told when a new account could not be given its name; may be nil.
	Log *slog.Logger
}

// SignIn gives the user id of the person's account, which it makes if there is
// none. It asks Label Studio each time, so that what changed there counts: the
// account opens with the password that is the person's, and Label Studio says
// of our bearer for it that it is this person's. One call costs Label Studio
// one or two password hashes, about a second. Errors are refusals with the
// codes of this package.
func (a *Accounts) SignIn(ctx context.Context, person Person) (int64, error) {
	if err := person.check(); err != nil {
		return 0, err
	}
	id, opened, err := a.open(ctx, person)
	if err == nil && !opened {
		id, err = a.make(ctx, person)
	}
	if err != nil {
		return 0, err
	}
	if id == a.Owner {
		return 0, notBound()
	}
	account, err := a.confirm(ctx, id, person)
	if err != nil {
		return 0, err
	}
	a.name(ctx, account, person)
	return id, nil
}

func notBound() error {
	return refusal.New(refusal.Forbidden, CodeNotBound,
		"Label Studio has an account with this person's address that was not made by this person's sign-in (or it does not take the address). Existing accounts are not adopted; remove or rename that account, then sign in again.")
}

// open logs in with each password that the person's account may have.
func (a *Accounts) open(ctx context.Context, person Person) (id int64, opened bool, err error) {
	for _, key := range a.Keys {
		cookie, err := a.submit(ctx, "/user/login/", nil, person.Email, person.password(key))
		if err != nil {
			return 0, false, err
		}
		if cookie == nil {
			continue
		}
		id, err := a.opened(ctx, cookie)
		return id, true, err
	}
	return 0, false, nil
}

// make signs the person up with the owner's invitation. A sign-up that Label
// Studio does not take may have lost a race against another of the same
// person, so the account is tried once more.
func (a *Accounts) make(ctx context.Context, person Person) (int64, error) {
	if len(a.Keys) == 0 {
		return 0, unavailable(errNoKeys)
	}
	token, err := a.invitation(ctx)
	if err != nil {
		return 0, err
	}
	cookie, err := a.submit(ctx, "/user/signup/", url.Values{"token": {token}}, person.Email, person.password(a.Keys[0]))
	if err != nil {
		return 0, err
	}
	if cookie == nil {
		id, opened, err := a.open(ctx, person)
		if err == nil && !opened {
			err = notBound()
		}
		return id, err
	}
	return a.opened(ctx, cookie)
}

// opened asks whose account a session cookie opened.
func (a *Accounts) opened(ctx context.Context, cookie *http.Cookie) (int64, error) {
	account, err := a.whoami(ctx, func(r *http.Request) { r.AddCookie(cookie) })
	if err != nil || a.Opened == nil || account.ID == a.Owner {
		return account.ID, err
	}
	return account.ID, a.Opened(ctx, account.ID, cookie)
}

func (a *Accounts) studio() caller { return caller{a.Base, a.HTTP} }

// invitation asks, as the owner, for the token that lets people sign up.
func (a *Accounts) invitation(ctx context.Context) (string, error) {
	authorization, err := a.Bearer(ctx, a.Owner)
	if err != nil {
		return "", unavailable(err)
	}
	var invite struct {
		Token string `json:"token"`
	}
	if err := a.studio().get(ctx, "/api/invite", bearing(authorization), &invite); err != nil {
		return "", err
	}
	if invite.Token == "" {
		return "", refusal.New(refusal.Unavailable, CodeNoOrganization, "Label Studio's organization has no invitation; sign in to Label Studio as its owner once, so that there is an organization.")
	}
	return invite.Token, nil
}

// confirm asks Label Studio who our bearer for the account is.
func (a *Accounts) confirm(ctx context.Context, id int64, person Person) (account, error) {
	authorization, err := a.Bearer(ctx, id)
	if err != nil {
		return account{}, unavailable(err)
	}
	who, err := a.whoami(ctx, bearing(authorization))
	switch {
	case err != nil:
		return account{}, err
	case who.ID != id:
		return account{}, refusal.New(refusal.Forbidden, CodeMismatch, "Label Studio takes the bearer for another user than the one that signed in.")
	case who.removed():
		return account{}, refusal.New(refusal.Forbidden, CodeRemoved, "The person's account was removed from Label Studio's organization; its owner can invite the person again.")
	case !person.is(who.Email):
		return account{}, refusal.New(refusal.Forbidden, CodeMismatch, "Label Studio's account carries another address than the assertion; correct one of them.")
	case who.Organization <= 0:
		return account{}, refusal.New(refusal.Forbidden, CodeNoOrganization, "The person's account is in no organization of Label Studio; its owner can invite the person.")
	}
	return who, nil
}

// name gives a nameless account the names of the assertion. The names only
// show, so a failure is logged and the next sign-in tries again.
func (a *Accounts) name(ctx context.Context, who account, person Person) {
	if who.FirstName != "" || who.LastName != "" || person.FirstName == "" && person.LastName == "" {
		return
	}
	if err := a.rename(ctx, who.ID, person.FirstName, person.LastName); err != nil && a.Log != nil {
		a.Log.WarnContext(ctx, "Label Studio did not take a new account's name", "user_id", who.ID, "error", err)
	}
}
