// Package login answers Rolepass's own pages: where a login starts, where the
// IdP's assertion arrives (the assertion consumer service, ACS), the service
// provider's metadata, who is signed in, and the way out.
//
// Request in, Page out: the package knows no Envoy and opens no port. One
// login is: Start sends the browser to the IdP and gives it a sealed cookie
// that names the request; the ACS verifies the response against that cookie,
// trades it for credentials at STS while it is fresh, signs the person into
// the application, keeps a session, and forgets the assertion.
//
// It decides nothing about data, and a response that nobody asked for never
// becomes a session.
package login

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/grants"
	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/session"
	"github.com/rolepass/rolepass/state"
)

// Prefix begins the path of every page of Rolepass's own, except the ACS
// where the operator has put that elsewhere.
const Prefix = "/rolepass/"

// Paths of the pages. The ACS has its own setting.
const (
	StartPath     = Prefix + "login"
	LogoutPath    = Prefix + "logout"
	SignedOutPath = Prefix + "signed-out"
	ClearedPath   = Prefix + "cleared"
	WhoAmIPath    = Prefix + "whoami"
	MetadataPath  = Prefix + "saml/metadata"
	SLOPath       = Prefix + "saml/slo"
)

// Request is what the pages need to know of a request.
type Request struct {
	// ID is Envoy's request id: what a person quotes to the operator.
	ID     string
	Method string
	// Path is the path as it was sent, Query what follows the first "?".
	Path  string
	Query string
	// Target is both, as sent: where to return to after the login.
	Target      string
	CookieLines []string
	ContentType string
	// CrossSite says that the browser named another site as the origin.
	CrossSite bool
	// SameOrigin says that the browser named our own; both are false when it
	// named none.
	SameOrigin bool
	Body       []byte
	// HTML says that a person looks at the answer.
	HTML bool
}

// Page is an answer of Rolepass's own.
type Page struct {
	Status int
	Header []Header
	Body   []byte
	// Refusal says why, where the page is a no. It is for the log.
	Refusal *refusal.Refusal
	// Session is the session that the page began, ended or showed, if any.
	Session *session.Session
	// Event names what happened, for audit: "login", "logout", "start", …
	Event string
	// Steps are what a login waited for.
	Steps []Step
}

// Header is one response header; a name may come twice (Set-Cookie).
type Header struct{ Name, Value string }

// IdP is one identity provider with our side of the conversation. SP is asked
// for each login, because metadata may be refreshed meanwhile.
type IdP struct {
	Name string
	SP   func() *saml.ServiceProvider
	// Domains are the e-mail domains whose people sign in there, in lower
	// case. Optional.
	Domains []string
}

// Service answers the pages. All fields are required but Observed.
type Service struct {
	// PublicURL is the scheme and host that browsers see, without a slash.
	PublicURL string
	ACSPath   string
	IdPs      []IdP
	// Observed are the application's own consumer services, by path. Where
	// there are any, the application signs people in and we do not.
	Observed map[string]Observed
	Contact  string
	// AppCookies are the application's own session cookies, dropped at logout.
	AppCookies []string

	Sealer   *state.Sealer
	Used     state.Once
	Sessions *session.Manager
	Cache    *credcache.Cache
	Grants   *grants.Set
	// Exchanger gives the token service of a role.
	Exchanger func(roleARN string) *credcache.Exchanger
	// SignIn finds or makes the application's account of a person.
	SignIn func(context.Context, saml.Principal) (appUser int64, err error)
	// Ended is told of each session that ended, so that caches forget it.
	Ended func(sessionID string)

	// Started is when this process began. Where used assertions are only
	// remembered in memory, one that is older than that is refused.
	Started time.Time
	Now     func() time.Time
	Rand    io.Reader

	// Verifying bounds how many responses are verified at once.
	Verifying chan struct{}
	// Signing are the turns in which strangers' requests to an IdP are signed, so
	// that decisions have processors left.
	Signing *Turns

	waiting  waitingRoom
	entering entering
	people   people
}

// Owns says whether a path is one of Rolepass's own.
func (s *Service) Owns(path string) bool {
	return path == s.ACSPath || len(path) >= len(Prefix) && path[:len(Prefix)] == Prefix
}

// Handle answers one of Rolepass's own pages.
func (s *Service) Handle(ctx context.Context, r Request) Page {
	if len(s.Observed) > 0 && slices.Contains([]string{s.ACSPath, StartPath, MetadataPath, SLOPath, RenewPath, RetryPath}, r.Path) {
		return s.notOurs(r)
	}
	switch r.Path {
	case s.ACSPath:
		return s.consume(ctx, r)
	case SLOPath:
		return s.singleLogout(ctx, r)
	case RetryPath:
		return s.retry(ctx, r)
	}
	if r.Method != "GET" && r.Method != "HEAD" {
		return s.Refuse(r, refusal.New(refusal.MethodNotAllowed, "own_page_method", "%s is not a method of this page: use GET", r.Method))
	}
	switch r.Path {
	case StartPath:
		return s.restart(ctx, r)
	case LogoutPath:
		return s.Logout(ctx, r)
	case SignedOutPath:
		return s.signedOut()
	case ClearedPath:
		return s.cleared(r)
	case WhoAmIPath:
		return s.whoAmI(ctx, r)
	case KeepPath:
		return s.keepOpen(ctx, r)
	case RenewPath:
		return s.renewNow(ctx, r)
	case MetadataPath:
		return s.metadata()
	}
	return s.Refuse(r, refusal.New(refusal.Forbidden, "own_page_unknown", "there is no such page of Rolepass"))
}

// Format shows the request's id only, whatever the verb: cookies, body and
// address are nobody's to print.
func (r Request) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "request "+r.ID) }

// LogValue shows the request's id only.
func (r Request) LogValue() slog.Value { return slog.StringValue(r.ID) }

// Format shows the status and the event, whatever the verb: the header may
// hold a cookie.
func (p Page) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "page %d %s", p.Status, p.Event) }

// LogValue shows the status and the event.
func (p Page) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("status", p.Status), slog.String("event", p.Event))
}
