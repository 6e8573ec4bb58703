package decision

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/rolepass/rolepass/labelstudio"
	"github.com/rolepass/rolepass/labelstudio/client"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/session"
)

// Workload is a program, such as an ML backend, that reads objects under a role
// of its own. It proves who it is with the token of one of the application's
// users, which stands for nothing else.
type Workload struct {
	// Session names the program and its role, for grants and audit; nobody
	// can sign in with it.
	Session *session.Session
	// Credentials gives the role's credentials, by shard.
	Credentials func(shard int) (*presign.Credentials, error)
}

// program is a workload that asks, as the application knows it.
type program struct {
	*Workload
	asker client.Asker
}

// workload is a data fetch without a session, by a token of the application's
// own. The application says whose token it is; what is configured for that user
// is then asked like a person: any grant, the application's yes, which role.
func (d *Decider) workload(ctx context.Context, r *Request, e *Event, reading labelstudio.Reading) Decision {
	if err := d.forAnyWorkload(reading); err != nil {
		return d.refuse(r, e, err)
	}
	sum := sha256.Sum256([]byte(r.Token.Reveal()))
	hash := hex.EncodeToString(sum[:16])
	asker := client.Asker{Session: "token " + hash, Credential: hash, Authorization: r.Token, From: r.Source}
	soon := within(ctx, d.Deadlines.Question)
	defer soon.cancel()
	user, err := d.App.Owner(soon, asker)
	e.asked(user.Waited, err)
	if err != nil {
		return d.refuseError(r, e, err, refusal.New(refusal.Unavailable, CodeState, "the application could not be asked: see the cause"))
	}
	w := d.Workloads[user.ID]
	if w == nil {
		return d.refuse(r, e, refusal.New(refusal.Forbidden, CodeNoWorkload, "the token is that of the application's user %d, for whom no workload is configured: objects are for people who sign in, and for configured workloads", user.ID))
	}
	d.App.Recognised(asker)
	asker.Authorization = user.Authorization
	e.Session = w.Session
	return d.fetch(ctx, r, e, w.Session, &program{w, asker}, reading)
}

// forAnyWorkload refuses what no workload may read, whoever has the token: then
// the application need not be asked.
func (d *Decider) forAnyWorkload(reading labelstudio.Reading) *refusal.Refusal {
	if _, ok := d.Buckets[reading.Location.Bucket]; !ok {
		return refusal.New(refusal.Forbidden, CodeBucket, "the object is in a bucket that the configuration does not list")
	}
	for _, w := range d.Workloads {
		if d.Grants.Any(w.Session.Roles, reading.Location) {
			return nil
		}
	}
	return refusal.New(refusal.Forbidden, CodeNoGrant, "no grant lets the role of any workload read under this prefix")
}

// taken gives the credentials that the program has for a role.
func (p *program) taken(shard int) (*presign.Credentials, error) {
	c, err := p.Credentials(shard)
	if err != nil {
		return nil, refusal.New(refusal.Unavailable, CodeCredentials, "the workload %s has no credentials of its role now: the log says why", p.Session.Principal.SessionName).Because(err)
	}
	return c, nil
}
