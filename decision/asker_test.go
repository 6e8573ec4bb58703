package decision

import (
	"testing"

	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/session"
)

// Somebody who makes up sessions of the application has one share of the questions
// for all of them, whatever session of ours they come with.
func TestOnePersonHasOneShareForAllTheirCookies(t *testing.T) {
	session := func(id, name string) *session.Session {
		return &session.Session{ID: id, Principal: saml.Principal{IdP: "corp", NameID: name}}
	}
	ada := byCookie(session("1", "ada"), "sessionid=a")
	again := byCookie(session("2", "ada"), "sessionid=b")
	if ada.Person == "" || ada.Person != again.Person || ada.Credential == again.Credential {
		t.Errorf("%q and %q, credentials %q and %q", ada.Person, again.Person, ada.Credential, again.Credential)
	}
	if eve := byCookie(session("3", "eve"), "sessionid=a"); eve.Person == ada.Person {
		t.Error("another person has the same share")
	}
}
