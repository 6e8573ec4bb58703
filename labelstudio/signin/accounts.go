package signin

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

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
	// Programs are the user ids of programs' accounts, which nobody adopts.
	Programs []int64
	// Keys derive the passwords, the newest first: it makes new accounts, and
	// every one of them opens the accounts that it made. At least one.
	Keys []presign.Secret
	// Adopts says whose account may be one that somebody else made under their
	// address. Nil means nobody's. It needs a Bearer that speaks for every user.
	Adopts func(Person) bool
	// Remember is how long an account that opened need not open again by its
	// password; 0: it must each time.
	Remember time.Duration
	// Now is the time; time.Now outside tests. Required with Remember.
	Now func() time.Time
	// Rand gives the form tokens; crypto/rand.Reader outside tests.
	Rand io.Reader
	// Log is told when a new account could not be given its name; may be nil.
	Log *slog.Logger

	// adopting lets one adoption happen at a time: what was looked at is what
	// is marked.
	adopting sync.Mutex
	lately   remembered
}

// SignIn gives the user id of the person's account, which it makes if there is
// none. It asks Label Studio each time, so that what changed there counts: the
// account opens with the password that is the person's, or did lately (Remember),
// and Label Studio says of our bearer for it that it is this person's. Opening costs
// Label Studio one or two password hashes, about a second; a person who is new, or
// whose address changed, costs the list of its members, too. Errors are refusals
// with the codes of this package.
func (a *Accounts) SignIn(ctx context.Context, person Person) (int64, error) {
	if err := person.check(); err != nil {
		return 0, err
	}
	if who, ok := a.again(ctx, person); ok {
		a.name(ctx, who, person)
		return who.ID, nil
	}
	found, err := a.find(ctx, person)
	if err != nil {
		return 0, err
	}
	if found.ID == a.Owner {
		return 0, notBound()
	}
	who, err := a.confirm(ctx, found)
	if err != nil {
		return 0, err
	}
	if err := a.mark(ctx, who, person); err != nil {
		return 0, err
	}
	a.remember(person, found)
	a.name(ctx, who, person)
	return who.ID, nil
}

// find gives the person's account: the one that opens under their address, the
// one that carries their mark under another, or a new one.
func (a *Accounts) find(ctx context.Context, person Person) (account, error) {
	if found, opened, err := a.open(ctx, person, person.Email); err != nil || opened {
		return found, err
	}
	members, err := a.members(ctx)
	if err != nil {
		return account{}, err
	}
	for _, member := range members {
		if a.carriesMark(member, person) {
			return a.reopen(ctx, person, member)
		}
	}
	var theirs []account
	for _, member := range members {
		if person.is(member.Email) {
			theirs = append(theirs, member)
		}
	}
	switch len(theirs) {
	case 0:
		return a.make(ctx, person)
	case 1:
		return a.claim(ctx, person, theirs[0])
	}
	return account{}, notBound() // in two spellings, and nothing says which is whose
}

// reopen opens an account that carries the person's mark. Its address is one
// that the person had; Label Studio keeps it, whatever the IdP says since. One
// that was adopted has another password than ours: where a bearer needs none,
// the mark alone says whose it is.
func (a *Accounts) reopen(ctx context.Context, person Person, member account) (account, error) {
	found, opened, err := a.open(ctx, person, member.Email)
	switch {
	case err != nil:
		return account{}, err
	case opened && found.ID == member.ID:
		return found, nil
	case !opened && a.Opened == nil:
		return member, a.adoptable(ctx, member)
	}
	return account{}, inactive()
}

// claim is for an account under the person's address that did not open. Another
// login of the same person may have made it meanwhile.
func (a *Accounts) claim(ctx context.Context, person Person, member account) (account, error) {
	if found, opened, err := a.open(ctx, person, person.Email); err != nil || opened {
		return found, err
	}
	if a.Adopts == nil || !a.Adopts(person) || !person.owns(member.Email) {
		return account{}, notBound()
	}
	return a.adopt(ctx, person, member)
}

func notBound() error {
	return refusal.New(refusal.Forbidden, CodeNotBound,
		"Label Studio has an account with this person's address that was not made by this person's sign-in (or it does not take the address), and it is not adopted. Remove or rename that account, then sign in again.")
}

func inactive() error {
	return refusal.New(refusal.Forbidden, CodeInactive,
		"The person's own account in Label Studio does not open: it was deactivated there, or another sign_in adopted it, or its password was changed. Activate it, or remove it; then sign in again.")
}

// open logs in at an address with each password that the person's account may
// have.
func (a *Accounts) open(ctx context.Context, person Person, email string) (found account, opened bool, err error) {
	for _, key := range a.Keys {
		cookie, err := a.submit(ctx, "/user/login/", nil, email, person.password(key))
		if err != nil {
			return account{}, false, err
		}
		if cookie == nil {
			continue
		}
		found, err := a.opened(ctx, cookie, email)
		return found, true, err
	}
	return account{}, false, nil
}

// make signs the person up with the owner's invitation. A sign-up that Label
// Studio does not take may have lost a race against another of the same
// person, so the account is tried once more.
func (a *Accounts) make(ctx context.Context, person Person) (account, error) {
	if len(a.Keys) == 0 {
		return account{}, unavailable(errNoKeys)
	}
	token, err := a.invitation(ctx)
	if err != nil {
		return account{}, err
	}
	cookie, err := a.submit(ctx, "/user/signup/", url.Values{"token": {token}}, person.Email, person.password(a.Keys[0]))
	if err != nil {
		return account{}, err
	}
	if cookie == nil {
		found, opened, err := a.open(ctx, person, person.Email)
		if err == nil && !opened {
			err = notBound()
		}
		return found, err
	}
	return a.opened(ctx, cookie, person.Email)
}

// opened asks whose account a session cookie opened. The address is the one
// that was given to the form: what Label Studio says must be the same.
func (a *Accounts) opened(ctx context.Context, cookie *http.Cookie, email string) (account, error) {
	who, err := a.whoami(ctx, func(r *http.Request) { r.AddCookie(cookie) })
	if err != nil {
		return account{}, err
	}
	found := account{ID: who.ID, Email: email, byPassword: true}
	if a.Opened == nil || found.ID == a.Owner {
		return found, nil
	}
	return found, a.Opened(ctx, found.ID, cookie)
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
func (a *Accounts) confirm(ctx context.Context, found account) (account, error) {
	authorization, err := a.Bearer(ctx, found.ID)
	if err != nil {
		return account{}, unavailable(err)
	}
	who, err := a.whoami(ctx, bearing(authorization))
	switch {
	case err != nil:
		return account{}, err
	case who.ID != found.ID:
		return account{}, refusal.New(refusal.Forbidden, CodeMismatch, "Label Studio takes the bearer for another user than the one that signed in.")
	case who.removed():
		return account{}, refusal.New(refusal.Forbidden, CodeRemoved, "The person's account was removed from Label Studio's organization; its owner can invite the person again.")
	case !sameAddress(found.Email, who.Email):
		return account{}, refusal.New(refusal.Forbidden, CodeMismatch, "Label Studio's account carries another address than the one that opened it; look at who changes accounts there.")
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
