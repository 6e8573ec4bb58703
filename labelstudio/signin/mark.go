package signin

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"regexp"
	"strconv"
	"strings"

	"github.com/rolepass/rolepass/presign"
)

// A mark says whose an account is. It stands at the end of the account's
// username, which Label Studio makes of the address, shows only for people
// without a name, and uses for nothing. Nobody without our key can write one,
// nor take one over: it names the account, too. So whoever changes a username
// can end a binding, and can make none.
//
//	ada#rp1.kQ3v0cQbJ0tq6Hq9b0mXyZ1a
const markSign = "#rp1."

var markEnd = regexp.MustCompile(regexp.QuoteMeta(markSign) + `[A-Za-z0-9_-]{24}$`)

// maxUsername is the longest username that Label Studio's column holds, less a
// mark, in characters.
const maxUsername = 256 - len(markSign) - 24

// markOf is the mark of a person on an account.
func markOf(id int64, person Person, key presign.Secret) string {
	sum := person.derive(key, "rolepass label-studio account v1", strconv.FormatInt(id, 10))
	return markSign + base64.RawURLEncoding.EncodeToString(sum[:18])
}

// marked says that an account is somebody's by a mark, whoever's.
func (a account) marked() bool { return markEnd.MatchString(a.Username) }

// carriesMark says that an account is the person's by its mark, under whichever
// key it was made.
func (a *Accounts) carriesMark(of account, person Person) bool {
	at := markEnd.FindString(of.Username)
	for _, key := range a.Keys {
		if at != "" && hmac.Equal([]byte(at), []byte(markOf(of.ID, person, key))) {
			return true
		}
	}
	return false
}

// mark writes the person's mark on their account, unless it is there. It is
// written as the owner, since a new account may have no organization yet. An
// account without its mark could be taken for nobody's, so a failure refuses.
func (a *Accounts) mark(ctx context.Context, of account, person Person) error {
	if len(a.Keys) == 0 {
		return unavailable(errNoKeys)
	}
	mark := markOf(of.ID, person, a.Keys[0])
	if strings.HasSuffix(of.Username, mark) {
		return nil
	}
	name := []rune(markEnd.ReplaceAllString(of.Username, ""))
	if len(name) == 0 {
		local, _, _ := strings.Cut(of.Email, "@")
		name = []rune(local)
	}
	name = name[:min(len(name), maxUsername)]
	return a.change(ctx, a.Owner, of.ID, map[string]any{"username": string(name) + mark})
}
