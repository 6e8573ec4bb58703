package decision

import (
	"context"
	"strings"

	"github.com/rolepass/rolepass/labelstudio"
	"github.com/rolepass/rolepass/refusal"
)

// mounted decides where the application stands below a path. The application
// gets its requests without that path, and so does everything here that reads
// them: what is judged is what arrives.
func (d *Decider) mounted(ctx context.Context, r *Request, e *Event) Decision {
	if path := r.path(); path == "/" || path == d.Mount {
		return d.toFront(e)
	}
	target, below := labelstudio.Below(d.Mount, r.Target)
	if !below {
		return d.refuse(r, e, refusal.New(refusal.Forbidden, CodeElsewhere, "nothing is at this path: the application stands below the one that label_studio path names"))
	}
	r.mount, r.Target = d.Mount, target
	out := d.forApp(ctx, r, e)
	out.Target = target
	return out
}

// sent is the target as the browser knows it.
func (r *Request) sent() string {
	if r.mount == "" || !strings.HasPrefix(r.Target, "/") {
		return r.Target
	}
	return r.mount + r.Target
}
