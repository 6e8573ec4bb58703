package decision

import (
	"time"

	"github.com/rolepass/rolepass/grants"
	"github.com/rolepass/rolepass/labelstudio"
	"github.com/rolepass/rolepass/labelstudio/client"
	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/session"
)

// Event is what one decision was: for audit, metrics and traces. It may hold
// an object key (in Location) and a person (in Session), which a sink must not
// write in the open; it holds no cookie, token, credential or signed location.
type Event struct {
	// Time is when the request was taken up, Took how long the answer needed.
	Time time.Time
	Took time.Duration
	// RequestID is Envoy's x-request-id.
	RequestID string
	Method    string
	// Kind is what the answer was.
	Kind Kind
	// Page names the own page of a Page: "login", "logout", "start", …
	Page string
	// Refusal says why not; nil unless the answer is a no. A page may have
	// one, too.
	Refusal *refusal.Refusal
	// Session is who asked; nil when nobody was signed in.
	Session *session.Session
	// Location is the object of a data fetch, with Task or Project as in the
	// request; the zero value when the request is none.
	Location presign.Location
	Task     int64
	Project  int64
	// Place is where the application says that the task is; the zero value
	// when it was not asked. Door is the side door that a request is for.
	Place grants.Place
	Door  labelstudio.Door
	// Role is the ARN of the role under which the location was signed, Grant
	// the number of the grant in the configuration, from 1.
	Role  string
	Grant int
	// Steps are what was waited for; nil when everything was known.
	Steps []Step
	// Traceparent is the Request's.
	Traceparent string
	// Shadow says that the decision was made and not enforced.
	Shadow bool
}

// Step is a part of a decision in which somebody else was waited for: STS or the
// application at a login, or the application by a question.
type Step = login.Step

// StepQuestion is the Kind of a question to the application. What is the question's
// own kind: "task", "project", "whoami" or "owner".
const StepQuestion = "question"

// asked notes that the application was waited for; not that its answer was
// known.
func (e *Event) asked(w client.Wait, err error) {
	if w.Kind == "" {
		return
	}
	e.Steps = append(e.Steps, Step{Kind: StepQuestion, What: w.Kind, Code: string(refusal.CodeOf(err)), Start: w.Start, Took: w.Took})
}

// Kind is what a decision comes to.
type Kind int

const (
	// Refuse is a no. It is the zero value.
	Refuse Kind = iota
	// Pass hands the request to the application, as the person.
	Pass
	// Stream sends the request to S3, signed under the person's role.
	Stream
	// Page answers with a page of our own.
	Page
	// Open hands the request to the application, as nobody.
	Open
	// PassOwn hands the request to the application, as whom the browser's own
	// session there says.
	PassOwn
	// PassClient hands a request of an API client to the application, as whom
	// the client's own token there says.
	PassClient
	// Redirect sends the browser to S3, with a location signed under the
	// person's role.
	Redirect
	// PassSigned is PassOwn with such a location in a request header.
	PassSigned
	// Untouched lets the request go on as it came. It is what a decider in
	// shadow answers, never what was decided: no Event has it.
	Untouched
)

// String names the kind for logs and metrics.
func (k Kind) String() string {
	switch k {
	case Pass, PassOwn, PassClient:
		return "pass"
	case Stream:
		return "stream"
	case Page:
		return "page"
	case Open:
		return "open"
	case Redirect:
		return "redirect"
	case PassSigned:
		return "header"
	}
	return "refuse"
}

// Sink is told of every decision, after its answer was made. It must not
// block and must not keep the Event.
type Sink func(*Event)
