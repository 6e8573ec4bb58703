package decision

import (
	"github.com/rolepass/rolepass/labelstudio"
	"github.com/rolepass/rolepass/refusal"
)

// apiClient is a program with a token of the application's own and no session.
// It reaches the application's API and nothing else: objects are read under a
// person's role, and it has none; and behind the side doors the application's
// own key would read for it. Rolepass adds nothing to what it sends and takes
// its cookies away, so another site gains nothing by making a browser send it.
func (d *Decider) apiClient(r *Request, e *Event, reading labelstudio.Reading) Decision {
	switch {
	case reading.Kind == labelstudio.App,
		reading.Kind == labelstudio.SideDoor && reading.Door == labelstudio.DoorImport && labelstudio.CarriesTasks(r.ContentType):
		return Decision{Kind: PassClient, Code: "client"}
	case reading.Kind == labelstudio.SideDoor:
		return d.refuse(r, e, refusal.New(refusal.Forbidden, CodeSideDoor,
			"an API client asks the application for what it does under its own S3 key or for an address that a member names (%s): only persons with a role under label_studio administrators do that, signed in", reading.Door))
	}
	return d.refuse(r, e, refusal.New(refusal.Unauthenticated, CodeNoSession, "an API client asks for something else than the application's API, and nobody is signed in"))
}
