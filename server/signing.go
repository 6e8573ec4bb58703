package server

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/labelstudio/signin"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/state"
)

// signing is how people are signed into Label Studio: their accounts, and the
// credential that their requests carry to it.
type signing struct {
	signIn func(context.Context, saml.Principal) (appUser int64, err error)
	bearer func(ctx context.Context, appUser int64) (presign.Secret, error)
}

// rememberAccounts is how long an account of Label Studio's need not open again by
// its password: a working day, so that the morning has the password hashes, and the
// renewals of credentials have none.
const rememberAccounts = 12 * time.Hour

// signing makes the way that the configuration chose. Whose account it is
// hangs on the IdP's entity id, which no renaming in the configuration
// changes.
func (s *Server) signing(c *config.Config, o Options, ring *state.Keyring) (signing, error) {
	if c.Application != nil {
		return signing{signIn: func(context.Context, saml.Principal) (int64, error) { return 0, nil }}, nil
	}
	if !c.LabelStudio.SignIn.Accounts() {
		return signing{signIn: nobodys}, nil
	}
	toApp, err := appHTTP(c)
	if err != nil {
		return signing{}, err
	}
	accounts := &signin.Accounts{Base: c.LabelStudio.URL, HTTP: toApp, Owner: c.LabelStudio.OwnerID, Remember: rememberAccounts, Now: o.Now, Rand: o.Rand, Log: o.Log}
	if err := credential(accounts, c, o); err != nil {
		return signing{}, err
	}
	for _, key := range ring.Derive("application accounts") {
		accounts.Keys = append(accounts.Keys, presign.Secret(hex.EncodeToString(key)))
	}
	entities, domains := map[string]string{}, map[string][]string{}
	for _, one := range s.idps {
		entity := one.sp.Load().IdP.Metadata.EntityID
		entities[one.config.Name], domains[entity] = entity, one.config.Domains
	}
	if c.LabelStudio.Adopt == config.AdoptEmail {
		accounts.Adopts = speaksFor(domains)
		for _, program := range c.Workloads {
			accounts.Programs = append(accounts.Programs, program.AppUser)
		}
	}
	signIn := func(ctx context.Context, p saml.Principal) (int64, error) {
		return accounts.SignIn(ctx, signin.Person{IdP: entities[p.IdP], NameID: p.NameID, Email: p.Email, FirstName: p.FirstName, LastName: p.LastName})
	}
	return signing{signIn: signIn, bearer: accounts.Bearer}, nil
}

// speaksFor says whether a person's IdP may say whose an address is: for those of
// its domains, and for every one if it is the only IdP and has none.
func speaksFor(domains map[string][]string) func(signin.Person) bool {
	return func(p signin.Person) bool {
		own, known := domains[p.IdP]
		if len(own) == 0 {
			return known && len(domains) == 1
		}
		at := strings.LastIndexByte(p.Email, '@')
		return slices.Contains(own, strings.ToLower(p.Email[at+1:]))
	}
}

// nobodys is the sign-in where the application keeps its own: it only wants
// the address by which the application's person is compared.
func nobodys(_ context.Context, p saml.Principal) (int64, error) {
	if p.Email == "" {
		return 0, refusal.New(refusal.Forbidden, signin.CodePerson, "the assertion gives no e-mail address, by which the application's person is known: let the identity provider send one")
	}
	return 0, nil
}

// credential gives the accounts what they speak to Label Studio with.
func credential(accounts *signin.Accounts, c *config.Config, o Options) error {
	if c.LabelStudio.SignIn == config.SignInToken {
		owner, err := secretFile(c.LabelStudio.OwnerTokenFile, "a personal access token of Label Studio's owner")
		if err != nil {
			return err
		}
		tokens := signin.NewTokens(c.LabelStudio.URL, accounts.HTTP, o.Now)
		tokens.Keep(c.LabelStudio.OwnerID, owner)
		accounts.Bearer, accounts.Opened = tokens.Authorization, tokens.Take
		return nil
	}
	key, err := secretFile(c.LabelStudio.SecretKeyFile, "Label Studio's SECRET_KEY")
	if err != nil {
		return err
	}
	accounts.Bearer = signin.NewBearers(signin.Bearer{Key: key, Now: o.Now, Rand: o.Rand}).Authorization
	return nil
}

// secretFile reads a secret; what names it in the error.
func secretFile(path, what string) (presign.Secret, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", what, err)
	}
	key := strings.TrimSpace(string(text))
	if key == "" {
		return "", fmt.Errorf("%s is empty: it must hold %s", path, what)
	}
	return presign.Secret(key), nil
}
