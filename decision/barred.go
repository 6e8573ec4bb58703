package decision

import (
	"context"
	"errors"

	"github.com/rolepass/rolepass/labelstudio/client"
	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/session"
)

// barred says to a person who opens a page that the application no longer has
// them: for whom it removed or deactivated, Label Studio would answer with a bare
// 500, or with its own login, which is closed to them. It keeps nobody out: a
// question that fails otherwise is the application's own to answer, and every
// fetch of data is asked about anyway.
func (d *Decider) barred(ctx context.Context, r *Request, e *Event, who *session.Session) *refusal.Refusal {
	if d.OwnSignIn || d.Read != nil || r.Method != "GET" || !r.navigation() {
		return nil
	}
	soon := within(ctx, d.Deadlines.Question)
	defer soon.cancel()
	asker, err := d.asker(soon, r, e, who, nil)
	if err != nil {
		return nil
	}
	person, err := d.App.Who(soon, asker)
	ref, _ := errors.AsType[*refusal.Refusal](err)
	switch {
	case err == nil && person.Removed():
		return refusal.New(refusal.Forbidden, "app_account_removed", "the person's account was removed from Label Studio's organization; its owner can invite the person again")
	case ref != nil && ref.Code == client.CodeIdentity:
		return refusal.New(refusal.Forbidden, "app_account_inactive", "Label Studio does not take the person's credential any more: their account was deactivated there").Because(ref)
	case ref != nil && ref.Code == client.CodeShut: // which may pass, but is as a rule this
		shut := *ref
		shut.Class = refusal.Forbidden
		return &shut
	}
	return nil
}
