// Package client asks Label Studio the one question that Rolepass may ask while
// somebody waits for an object: is this task theirs, and does it name this
// object? Signing the object ourselves goes past Label Studio's own permission
// check, and this puts it back.
//
// It asks as the person, with the credential that the person's requests carry
// anyway, so the answer is Label Studio's own and needs no rights of ours:
//
//	answer, err := c.Task(ctx, client.Asker{Session: key, Credential: "7", Authorization: bearer}, 3)
//	if err == nil && answer.Names(location) { ... }
//
// Answers are kept for a minute and refusals for seconds, by session,
// credential and task; a question that is on its way serves all who wait for
// it and ends with none of them. Forget drops what a session has, also what is
// still on its way.
//
// The package never follows a redirect, never asks twice and reads at most
// 4 MiB. It does not find roles or decide anything about them.
package client

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rolepass/rolepass/grants"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/recent"
	"github.com/rolepass/rolepass/refusal"
)

const (
	// keepYes is how long an answer is used. Somebody who loses a task in
	// Label Studio reads its objects for at most so long.
	keepYes = time.Minute
	// keepNo is how long a refusal is used.
	keepNo = 3 * time.Second
	// patience is how long one question may take, however many wait for it.
	patience = 5 * time.Second
	// atOnce is how many questions Label Studio gets at the same time. A page
	// of its Data Manager is 30 tasks.
	atOnce = 32
	// maxWaiting is how many questions may wait for their turn.
	maxWaiting = 1024
	// maxEntries and maxBytes bound the answers that are kept.
	maxEntries = 100_000
	maxBytes   = 64 << 20
	// maxParties bounds the projects that are remembered.
	maxParties = 10_000
)

// Client asks Label Studio. Make it with New.
type Client struct {
	// Base is where Label Studio listens, without a path. Required.
	Base *url.URL
	// HTTP sends the requests; redirects are never followed. Required.
	HTTP *http.Client
	// Now is the time; time.Now outside tests. Required.
	Now func() time.Time
	// WholePlace asks for the organization and the workspace of a task's
	// project too, which takes a second question. It is needed only when a
	// grant is scoped by one of them.
	WholePlace bool
	// ByProject asks for the tasks of a page together: by the page itself if
	// Opened has told of it, and else by the list of Label Studio's Data
	// Manager, once it is known which project the session works in. That spares
	// Label Studio most questions; and where a model is connected, it spares the
	// model, which Label Studio asks whenever it is asked for a single task
	// without predictions. The list says whether the project is theirs, which in
	// Community is all there is to say of a task; in Enterprise, where tasks are
	// assigned, leave it false.
	ByProject bool
	// MaxBytes bounds the answers that are kept.
	MaxBytes int
	// Asked is told of every request that is sent, with its kind: "task",
	// "tasks", "project", "whoami", "token" or "version". May be nil.
	Asked func(kind string)

	turns *turns

	mu      sync.Mutex
	kept    *recent.Map[question, kept]
	bytes   int // of what is kept
	flights map[question]*flight
	// owners are the turns of those that ask whose a token is.
	owners owners
	// queues are the tasks that wait to be asked for together.
	queues map[party]*queue
	// lately is the project of the last task that each party asked for.
	lately *recent.Map[party, int64]
	// pages are what each party opened last in the Data Manager.
	pages *recent.Map[party, opened]
}

// New makes a Client; its fields may be set before the first question.
func New(base *url.URL, http *http.Client, now func() time.Time) *Client {
	c := &Client{
		Base: base, HTTP: http, Now: now,
		turns:    newTurns(),
		MaxBytes: maxBytes,
		flights:  map[question]*flight{},
		owners:   newOwners(),
		queues:   map[party]*queue{},
	}
	c.kept = recent.New(c.dropped)
	c.lately = recent.New[party, int64](nil)
	c.pages = recent.New[party, opened](nil)
	return c
}

// Asker is the person as whom Label Studio is asked.
type Asker struct {
	// Session is the key of the login session. Forget takes it.
	Session string
	// Credential tells apart the app credentials of a session, such as the
	// user id of a bearer: an answer to one is no answer to another.
	Credential string
	// Person is whose share of the questions it is, where one may have several
	// credentials; empty: the credential's.
	Person string
	// Authorization is the value of the Authorization header; empty: none.
	Authorization presign.Secret
	// Cookie is the value of the Cookie header; empty: none.
	Cookie presign.Secret
	// From is the address that a token came from, as far as that is known.
	From string
}

func (Asker) String() string       { return "[asker]" }
func (Asker) GoString() string     { return "[asker]" }
func (Asker) LogValue() slog.Value { return slog.StringValue("[asker]") }

// Answer is what Label Studio says of something that is the asker's.
type Answer struct {
	// Place is where it is. Organization and Workspace are 0 unless
	// WholePlace asks for them; Workspace is always 0 in Community.
	Place grants.Place
	// Waited is how long Label Studio was waited for, also where it gave no
	// answer; the zero value when the answer was known.
	Waited Wait
	uris   []string // in order
	who    Person
}

// Wait is one time that somebody waited for Label Studio.
type Wait struct {
	// Kind is what was asked for: "task", "project", "whoami" or "owner".
	Kind  string
	Start time.Time
	Took  time.Duration
}

// Person is a user of Label Studio. It prints as nothing, so that no log names
// anybody.
type Person struct {
	ID    int64
	Email string
	// Authorization is what an owner's token is worth to the API: what else is
	// asked for them, is asked with it. Only Owner gives it.
	Authorization presign.Secret
	// Waited is as in Answer.
	Waited Wait
}

// Removed says that the organization no longer has the person: Label Studio then
// gives this word in place of the address.
func (p Person) Removed() bool { return p.Email == "Deleted" }

func (Person) String() string       { return "[person]" }
func (Person) GoString() string     { return "[person]" }
func (Person) LogValue() slog.Value { return slog.StringValue("[person]") }

// Names says that the task's data has this object as a value: a whole string
// that is the object's URI, or the URI that Label Studio itself takes out of
// a string of HTML. It is false for every object of a project.
func (a Answer) Names(location presign.Location) bool {
	_, ok := slices.BinarySearchFunc(a.uris, location, compare)
	return ok
}

// compare orders a URI and a location's, without writing the latter.
func compare(uri string, location presign.Location) int {
	for _, part := range [...]string{scheme, location.Bucket, "/", location.Key} {
		n := min(len(uri), len(part))
		if order := strings.Compare(uri[:n], part); order != 0 {
			return order
		}
		uri = uri[n:]
	}
	return len(uri)
}

// Task asks for a task. The error is a refusal with one of this package's
// codes; when the caller stops waiting, its cause is the context's error.
func (c *Client) Task(ctx context.Context, asker Asker, task int64) (Answer, error) {
	return c.ask(ctx, asker, question{asker.Session, asker.Credential, "task", task})
}

// Project asks for a project; the answer names its place and no objects.
func (c *Client) Project(ctx context.Context, asker Asker, project int64) (Answer, error) {
	return c.ask(ctx, asker, question{asker.Session, asker.Credential, "project", project})
}

// Who asks whom Label Studio takes the asker for.
func (c *Client) Who(ctx context.Context, asker Asker) (Person, error) {
	return c.whose(ctx, asker, question{asker.Session, asker.Credential, "whoami", 0})
}

// Owner asks whose token the asker has. Anybody can send tokens, made-up ones and
// as many as they like, so that these questions have few turns of their own and
// no queue; a no is not kept, where it could push out what people were told.
func (c *Client) Owner(ctx context.Context, asker Asker) (Person, error) {
	return c.whose(ctx, asker, question{asker.Session, asker.Credential, owner, 0})
}

func (c *Client) whose(ctx context.Context, asker Asker, q question) (Person, error) {
	answer, err := c.ask(ctx, asker, q)
	answer.who.Waited = answer.Waited
	return answer.who, err
}

// Forget drops the answers of a session, and makes those that are on their way
// refusals to whoever waits for them. It looks through all that is kept, which
// takes some milliseconds at worst, at a logout: a list for each session would take
// more memory than the answers.
func (c *Client) Forget(session string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for q := range c.kept.Keys() {
		if q.session == session {
			c.kept.Remove(q)
		}
	}
	for q, f := range c.flights {
		if q.session == session {
			delete(c.flights, q)
			f.end(Answer{}, refusal.New(refusal.Unauthenticated, CodeForgotten, "The session ended while Label Studio was being asked."))
		}
	}
}
