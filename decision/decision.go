// Package decision decides what happens to one request, and says why.
//
// Decide is the whole story, in reading order: is it for us; is it a page of
// our own; who asks; for what; does any grant match; does the application say
// yes; under which role; with whose credentials. Whoever reaches the end of
// one of these without a yes is refused: a Decision that nobody filled in
// refuses, and so does a panic.
//
//	d := &decision.Decider{ ... }
//	answer := d.Decide(ctx, request)
//
// It knows no transport: package extauthz turns Envoy's words into a Request
// and a Decision into Envoy's. It keeps nothing of its own; each decision is
// told to the sinks as an Event.
package decision

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/grants"
	"github.com/rolepass/rolepass/labelstudio"
	"github.com/rolepass/rolepass/labelstudio/client"
	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/session"
)

// Decider decides. All fields are required but Sinks.
type Decider struct {
	// Hosts are the values of Host that are ours, in lower case: the host of
	// the public address, with and without the scheme's own port.
	Hosts []string
	// PublicOrigin is the origin that browsers name: scheme and host.
	PublicOrigin string

	Login    *login.Service
	Sessions *session.Manager
	Grants   *grants.Set
	// Buckets are the addresses of the configured buckets, by name.
	Buckets map[string]presign.Bucket
	// Confirm is what the application is asked before a location is signed.
	Confirm Confirm
	App     *client.Client
	// Bearer gives the application's credential for one of its users. It may
	// ask the application for it, now and then.
	Bearer func(ctx context.Context, appUser int64) (presign.Secret, error)
	// OwnSignIn says that the application keeps its own login: Bearer is not
	// used, requests keep the application's cookie, and nothing is signed
	// until the application, asked with it, names the same person.
	OwnSignIn bool
	// Observer says that the application's own SAML login is the only one:
	// what is no data fetch passes, whoever asks. It goes with OwnSignIn.
	Observer bool
	// Read reads the requests of an application other than Label Studio, which
	// is asked nothing and told nobody; nil: it is Label Studio.
	Read func(method, target string) labelstudio.Reading
	// AppCookies are cookies by which the application knows a session of its
	// own; they never reach it.
	AppCookies []string
	// APIClients passes programs that have a token of the application's own and
	// no session to its API.
	APIClients bool
	// Workloads are programs that read objects under roles of their own, by
	// the application's number of the user whose token they have.
	Workloads map[int64]*Workload
	// Mount is the path below which the application stands, such as /label;
	// empty: at the front. The application gets its requests without it.
	Mount string
	// Administrators are the roles for which the application's side doors are
	// open; nil: for none.
	Administrators []string
	Cache          *credcache.Cache
	Signer         *presign.Signer
	// SignHeaders signs what Envoy sends to S3 by headers instead of by query.
	SignHeaders bool
	// Delivery is how objects are delivered where their grant does not say.
	Delivery grants.Delivery
	// LocationHeader is the request header in which the application is told
	// where an object is; empty: it is never told.
	LocationHeader string

	// Shadow decides and tells the sinks, and lets every request go on to the
	// application as it came.
	Shadow bool

	Deadlines Deadlines
	Now       func() time.Time
	Sinks     []Sink
}

// Confirm is what the application is asked before a location is signed.
type Confirm int

const (
	// ConfirmURI asks whether the task is theirs and names the object. It is
	// the zero value.
	ConfirmURI Confirm = iota
	// ConfirmPermission asks only whether the task or project is theirs.
	ConfirmPermission
	// ConfirmNone asks nothing; then only grants for every place match.
	ConfirmNone
)

// Deadlines bound the three kinds of waiting. Envoy's own timeout for Check is
// above all of them, so that what a person sees is our answer.
type Deadlines struct {
	// State is for reading a session or credentials, Question for asking the
	// application, Login for a page of our own.
	State, Question, Login time.Duration
}

// DefaultDeadlines are those that package envoy's default timeout fits.
func DefaultDeadlines() Deadlines {
	return Deadlines{State: 200 * time.Millisecond, Question: 5 * time.Second, Login: 12 * time.Second}
}

// Codes of refusals that are decided here; others come from the packages that
// are asked.
const (
	CodeHost         refusal.Code = "host_unknown"
	CodeNoSession    refusal.Code = login.CodeNoSession
	CodeState        refusal.Code = "state_unavailable"
	CodeCrossOrigin  refusal.Code = "cross_origin"
	CodeBucket       refusal.Code = "bucket_unknown"
	CodeNoGrant      refusal.Code = "no_grant"
	CodeScope        refusal.Code = "no_grant_here"
	CodeNotInTask    refusal.Code = "not_in_task"
	CodeProject      refusal.Code = "project_fetch"
	CodeSideDoor     refusal.Code = "side_door"
	CodeCredentials  refusal.Code = "credentials_gone"
	CodeNotSigned    refusal.Code = "not_signed"
	CodeBearer       refusal.Code = "bearer_failed"
	CodeNoWorkload   refusal.Code = "workload_unknown"
	CodeAppSignedOut refusal.Code = "app_signed_out"
	CodeAppOther     refusal.Code = "app_other_person"
	CodeNothingMatch refusal.Code = "nothing_matched"
	CodePanic        refusal.Code = "panic"
	CodeElsewhere    refusal.Code = "path_elsewhere"
)

// Decision is what happens to a request. The zero value refuses, and so does
// one whose parts do not fit its kind.
type Decision struct {
	Kind Kind
	// Code is for the access log: the refusal's, or the kind.
	Code refusal.Code
	// Session is the handle of the session, for the access log; may be empty.
	Session string

	// Target is what the application is asked for, where that is not what the
	// browser sent: without the path below which it stands.
	Target string

	// Answer is what the browser gets, for Refuse and Page.
	Answer login.Page

	// Authorization and Cookie are what a Pass carries to the application in
	// place of the browser's own. An empty Cookie is none, and PassOwn and
	// PassSigned have no Authorization.
	Authorization presign.Secret
	Cookie        string
	// LocationHeader names the request header that carries Signed in a
	// PassSigned, and that a PassOwn or an Untouched must not carry.
	LocationHeader string
	// CookieChanged says that an Untouched carries Cookie in place of the
	// browser's own; else those stay.
	CookieChanged bool

	// Signed is where a Stream or a Redirect goes to, and Header what is set on
	// the answer. A Stream that is signed by headers has Authorized instead.
	Signed     presign.Presigned
	Authorized presign.Authorized
	Bucket     presign.Bucket
	Header     []login.Header
}

// Decide decides and tells the sinks.
func (d *Decider) Decide(ctx context.Context, r Request) Decision {
	e := Event{Time: d.Now(), RequestID: r.ID, Method: r.Method, Traceparent: r.Traceparent, Shadow: d.Shadow && !d.answersInShadow(&r)}
	out := d.guarded(ctx, &r, &e)
	e.Kind, e.Took = out.Kind, d.Now().Sub(e.Time)
	for _, sink := range d.Sinks {
		sink(&e)
	}
	if d.Shadow {
		return d.unenforced(&r, out)
	}
	return out
}

// guarded turns a panic into a refusal.
func (d *Decider) guarded(ctx context.Context, r *Request, e *Event) (out Decision) {
	defer func() {
		if p := recover(); p != nil {
			out = d.refuse(r, e, refusal.New(refusal.Unavailable, CodePanic, "deciding failed within Rolepass: report this with the cause").Because(fmt.Errorf("panic: %T", p)))
		}
	}()
	return d.decide(ctx, r, e)
}

// decide is the story.
func (d *Decider) decide(ctx context.Context, r *Request, e *Event) Decision {
	if !d.isOurs(r.Host) {
		return d.refuse(r, e, refusal.New(refusal.Misdirected, CodeHost, "the request is for a host that is not the one of public_url"))
	}
	if d.Login.Owns(r.path()) {
		return d.ownPage(ctx, r, e)
	}
	if d.Login.Observes(r.path()) {
		return d.observe(ctx, r, e)
	}
	if d.Mount == "" {
		return d.forApp(ctx, r, e)
	}
	return d.mounted(ctx, r, e)
}

// forApp decides about everything that is no page of our own.
func (d *Decider) forApp(ctx context.Context, r *Request, e *Event) Decision {
	reading := d.read(r)
	if reading.Kind == labelstudio.Logout {
		return d.logout(ctx, r, e)
	}
	who, err := d.who(ctx, r)
	if err != nil {
		return d.refuse(r, e, unavailable(err))
	}
	if who == nil {
		return d.nobody(ctx, r, e, reading)
	}
	e.Session = who
	switch reading.Kind {
	case labelstudio.SignIn:
		if d.OwnSignIn {
			return d.pass(ctx, r, e, who)
		}
		return d.toFront(e)
	case labelstudio.App:
		if page, ok := d.renew(ctx, r, e, who); ok {
			return page
		}
		if ref := d.barred(ctx, r, e, who); ref != nil {
			return d.refuse(r, e, ref)
		}
		return d.pass(ctx, r, e, who)
	case labelstudio.SideDoor:
		return d.sideDoor(ctx, r, e, who, reading.Door)
	case labelstudio.Fetch:
		return d.fetch(ctx, r, e, who, nil, reading)
	case labelstudio.Refused:
		return d.refuse(r, e, reading.Refusal)
	}
	return d.refuse(r, e, refusal.New(refusal.Forbidden, CodeNothingMatch, "nothing that Rolepass knows matches the request"))
}

// read says for what a request is.
func (d *Decider) read(r *Request) labelstudio.Reading {
	if d.Read != nil {
		return d.Read(r.Method, r.Target)
	}
	reading := labelstudio.Read(r.Method, r.Target)
	if d.OwnSignIn && reading.Door == labelstudio.DoorAccount {
		return labelstudio.Reading{Kind: labelstudio.App} // its accounts are not of our making
	}
	return reading
}

// who finds the session of a request; nil when nobody is signed in.
func (d *Decider) who(ctx context.Context, r *Request) (*session.Session, error) {
	soon := within(ctx, d.Deadlines.State)
	defer soon.cancel()
	who, err := d.Sessions.Find(soon, r.CookieLines)
	if errors.Is(err, session.ErrNone) {
		return nil, nil
	}
	return who, err
}

// unavailable is the refusal for a state that does not answer.
func unavailable(err error) *refusal.Refusal {
	return refusal.New(refusal.Unavailable, CodeState, "the state does not answer, so nobody can be let in: see the cause").Because(err)
}

// refuse answers no.
func (d *Decider) refuse(r *Request, e *Event, ref *refusal.Refusal) Decision {
	if ref == nil {
		ref = refusal.New(refusal.Forbidden, CodeNothingMatch, "a refusal without a reason: report this")
	}
	e.Refusal = ref
	return Decision{Kind: Refuse, Code: ref.Code, Session: handle(e.Session), Answer: d.Login.Refuse(r.forLogin(d.PublicOrigin), ref)}
}

// refuseError answers no to an error that is a refusal, or fault if it is not.
func (d *Decider) refuseError(r *Request, e *Event, err error, fault *refusal.Refusal) Decision {
	if ref, ok := errors.AsType[*refusal.Refusal](err); ok {
		return d.refuse(r, e, ref)
	}
	return d.refuse(r, e, fault.Because(err))
}

func handle(s *session.Session) string {
	if s == nil {
		return ""
	}
	return s.Handle()
}
