// Package labelstudio reads Label Studio's URLs, as Label Studio would and
// more strictly.
//
// Label Studio serves an object of S3 at one family of addresses,
//
//	/tasks/3/resolve/?fileuri=czM6Ly9pbWFnaW5nL3JlZC5wbmc=
//
// (also under /projects/, and under the older name presign), and it reads them
// leniently: base64 with junk inside, the last of two parameters, escaped
// letters, a slash more or less. Whatever it can read it serves with its own
// key. So Read has three answers and no fourth: the request is exactly a fetch
// as Label Studio's own pages make it; or no reading by the application, its
// nginx or its WSGI server could take it for one; or it is refused.
//
//	switch reading := labelstudio.Read(method, target); reading.Kind {
//	case labelstudio.Fetch: // decide, and sign reading.Location
//	case labelstudio.App:   // pass on, with the user's own bearer
//	...
//
// Destination and Active are what else a fetch needs: which uses of an object
// by a browser are refused, and as what type it is served.
//
// The package is pure: it asks nobody (package client does) and decides
// nothing about people. It knows the routes of the versions that Tested names;
// docs/label-studio.md says what becomes of each.
package labelstudio

import (
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
)

// Kind says what a request is to Label Studio.
type Kind int

const (
	// Refused: the request must not reach anybody; Reading.Refusal says why.
	// It is the zero value.
	Refused Kind = iota
	// App: not a fetch in any reading; it belongs to the application.
	App
	// Fetch: a fetch of one object, for a task or a project.
	Fetch
	// SignIn: the application's own login or sign-up form, in any spelling.
	// The bearer signs in, so the answer is a redirect to "/".
	SignIn
	// Logout: the end of the session, ours too.
	Logout
	// SideDoor: something that the application does under its own S3 key, or
	// sends to an address of a member's choice; Reading.Door says which.
	SideDoor
)

// String names the kind for logs and tests.
func (k Kind) String() string {
	switch k {
	case App:
		return "app"
	case Fetch:
		return "fetch"
	case SignIn:
		return "sign-in"
	case Logout:
		return "logout"
	case SideDoor:
		return "side-door"
	default:
		return "refused"
	}
}

// Reading is what Read made of a request.
type Reading struct {
	Kind Kind
	// Task or Project is set for a Fetch, never both; the other is 0.
	Task    int64
	Project int64
	// Location is the object that a Fetch asks for.
	Location presign.Location
	// Anonymous says of an App that it is for everybody, also without a
	// session.
	Anonymous bool
	// Door is set exactly when Kind is SideDoor.
	Door Door
	// Refusal is set exactly when Kind is Refused.
	Refusal *refusal.Refusal
}

// Read says what the request is. Method and target are as Envoy gives them:
// the target is the raw :path with its query. A Refused reading carries one of
// this package's codes.
func Read(method, target string) Reading {
	path, query, err := Target(method, target)
	if err != nil {
		return refuse(err)
	}
	if f, ok := fetchPath(path); ok {
		return readFetch(method, f, query)
	}
	if anonymous(method, target) {
		return Reading{Kind: App, Anonymous: true}
	}
	return readApp(method, path, query)
}

// readFetch reads the rest of a request whose path is exactly a fetch.
func readFetch(method string, f fetch, query string) Reading {
	if method != "GET" && method != "HEAD" {
		return refuse(refusal.New(refusal.MethodNotAllowed, CodeFetchMethod, "Objects are only read: send GET or HEAD."))
	}
	value, err := fileURI(query)
	if err != nil {
		return refuse(err)
	}
	location, err := decodeFileURI(value)
	if err != nil {
		return refuse(err)
	}
	return Reading{Kind: Fetch, Task: f.task, Project: f.project, Location: location}
}

// readApp says what a path is that is not exactly a fetch: it asks every form
// that some part of the application may turn the path into.
func readApp(method, path, query string) Reading {
	forms, err := Forms(path)
	if err != nil {
		return refuse(err)
	}
	kind, side, asks := App, Door(""), asking{method: method, query: query}
	for _, form := range forms {
		segments := segments(form)
		if err := door(segments); err != nil {
			return refuse(err)
		}
		if k := page(segments); k != App {
			kind = k
		}
		if d := asks.sideDoor(segments); d != "" {
			side = d
		}
	}
	if side != "" {
		return Reading{Kind: SideDoor, Door: side}
	}
	return Reading{Kind: kind}
}

func refuse(r *refusal.Refusal) Reading { return Reading{Kind: Refused, Refusal: r} }
