package decision

import (
	"context"
	"errors"

	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/grants"
	"github.com/rolepass/rolepass/labelstudio"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/session"
)

// fetch is a request for one object: any grant, the application's yes, which
// role, whose credentials, the signature. p is nil when a person asks.
func (d *Decider) fetch(ctx context.Context, r *Request, e *Event, who *session.Session, p *program, reading labelstudio.Reading) Decision {
	e.Location, e.Task, e.Project = reading.Location, reading.Task, reading.Project
	if err := d.fitting(r, reading.Location.Key); err != nil {
		return d.refuse(r, e, err)
	}
	bucket, ok := d.Buckets[reading.Location.Bucket]
	if !ok {
		return d.refuse(r, e, refusal.New(refusal.Forbidden, CodeBucket, "the object is in a bucket that the configuration does not list"))
	}
	if !d.Grants.Any(who.Roles, reading.Location) {
		return d.refuse(r, e, refusal.New(refusal.Forbidden, CodeNoGrant, "no grant lets one of this person's roles read under this prefix"))
	}
	place, err := d.appSays(ctx, r, e, who, p, reading)
	if err != nil {
		return d.refuseError(r, e, err, refusal.New(refusal.Unavailable, CodeState, "the application could not be asked: see the cause"))
	}
	e.Place = place
	if who.Organization != 0 && place.Organization != who.Organization {
		return d.refuse(r, e, refusal.New(refusal.Forbidden, CodeScope, "the task is of another organization than the one whose login this was"))
	}
	choice, ok := d.Grants.Choose(who.Roles, reading.Location, place)
	if !ok {
		return d.refuse(r, e, refusal.New(refusal.Forbidden, CodeScope, "a grant covers the object, but not in the project of this task"))
	}
	e.Role, e.Grant = choice.RoleARN, choice.Index+1
	credentials, err := d.credentials(ctx, who, p, choice)
	if err != nil {
		return d.refuseError(r, e, err, unavailable(nil))
	}
	out, err := d.deliver(r, choice.Grant, bucket, reading.Location, credentials)
	if errors.Is(err, presign.ErrExpired) {
		return d.refuse(r, e, gone(choice.RoleARN))
	}
	if err != nil {
		return d.refuse(r, e, refusal.New(refusal.Forbidden, CodeNotSigned, "the location was not signed: see the cause").Because(err))
	}
	out.Code, out.Session = refusal.Code(out.Kind.String()), who.Handle()
	return out
}

// fitting refuses uses of an object that the application's own pages do not
// make: run as a program, or shown by another site.
func (d *Decider) fitting(r *Request, key string) *refusal.Refusal {
	if err := labelstudio.Destination(r.FetchDest, key); err != nil {
		ref, ok := errors.AsType[*refusal.Refusal](err)
		if !ok {
			ref = refusal.New(refusal.Forbidden, CodeNothingMatch, "the object is for a use that nothing allows: see the cause").Because(err)
		}
		return ref
	}
	if r.foreign(d.PublicOrigin) && r.FetchMode != "navigate" {
		return refusal.New(refusal.Forbidden, CodeCrossOrigin, "a page of another origin asks for an object")
	}
	return nil
}

// appSays asks the application, as this person, whether the task is theirs
// and names this object. Signing the location ourselves goes past the
// application's own check; this puts it back.
func (d *Decider) appSays(ctx context.Context, r *Request, e *Event, who *session.Session, p *program, reading labelstudio.Reading) (grants.Place, error) {
	if d.Read != nil || d.Confirm == ConfirmNone && !d.OwnSignIn {
		return grants.Place{}, nil
	}
	if reading.Task == 0 && d.Confirm == ConfirmURI {
		return grants.Place{}, refusal.New(refusal.Forbidden, CodeProject, "a fetch for a project names no task, so it cannot be confirmed; Label Studio's own pages make none (label_studio confirm: permission allows them)")
	}
	soon := within(ctx, d.Deadlines.Question)
	defer soon.cancel()
	asker, err := d.asker(soon, r, e, who, p)
	if err != nil || d.Confirm == ConfirmNone {
		return grants.Place{}, err
	}
	if reading.Task == 0 {
		answer, err := d.App.Project(soon, asker, reading.Project)
		e.asked(answer.Waited, err)
		return answer.Place, never401(err)
	}
	answer, err := d.App.Task(soon, asker, reading.Task)
	e.asked(answer.Waited, err)
	if err != nil {
		return grants.Place{}, never401(err)
	}
	if d.Confirm == ConfirmURI && !answer.Names(reading.Location) {
		return grants.Place{}, refusal.New(refusal.Forbidden, CodeNotInTask, "the task is theirs, but this object is no value in it")
	}
	return answer.Place, nil
}

// never401 keeps the application's 401 to itself: Label Studio's pages leave
// for the front page on one, and unsaved work with them. Who has a session is
// signed in, whatever the application thinks of the bearer.
func never401(err error) error {
	ref, ok := errors.AsType[*refusal.Refusal](err)
	if !ok || ref.Class != refusal.Unauthenticated {
		return err
	}
	known := *ref
	known.Class = refusal.Forbidden
	return &known
}

// credentials finds the session's for the chosen role. That they have ended is
// a 403, not a 401, for the same reason.
func (d *Decider) credentials(ctx context.Context, who *session.Session, p *program, choice grants.Choice) (*presign.Credentials, error) {
	if p != nil {
		return p.taken(choice.Shard)
	}
	soon := within(ctx, d.Deadlines.State)
	defer soon.cancel()
	found, err := d.Cache.Get(soon, credcache.Key{Session: who, Role: choice.RoleARN, Shard: choice.Shard})
	if errors.Is(err, credcache.ErrNone) {
		return nil, gone(choice.RoleARN)
	}
	if err != nil {
		return nil, unavailable(err)
	}
	return found, nil
}

func gone(role string) *refusal.Refusal {
	return refusal.New(refusal.Forbidden, CodeCredentials, "the credentials of role %s have ended: the person signs out and in again; sts duration says how long they last", role)
}
