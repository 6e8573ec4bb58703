package login_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/saml/samltest"
	"github.com/rolepass/rolepass/session"
)

// slowly makes STS take a second for each role, and know everybody.
func (w *world) slowly() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sts = func(in *sts.AssumeRoleWithSAMLInput, out *sts.AssumeRoleWithSAMLOutput) error {
		text, _ := base64.StdEncoding.DecodeString(*in.SAMLAssertion)
		if strings.Contains(string(text), ">somebody-else<") {
			out.Subject = aws.String("somebody-else")
		}
		time.Sleep(time.Second)
		return nil
	}
}

// ready is a POST to the ACS of a browser of its own, with a fresh assertion.
func (w *world) ready(change ...func(*samltest.Spec)) login.Request {
	w.t.Helper()
	b := w.browser()
	request := b.starts("/")
	spec := right(request)
	for _, c := range change {
		c(&spec)
	}
	post := posting(w.idp.Response(spec), request.RelayState)
	post.ID, post.CookieLines, post.HTML = "r-1", b.lines(), true
	return post
}

func (w *world) sent(posts []login.Request) <-chan login.Page {
	pages := make(chan login.Page, len(posts))
	for _, post := range posts {
		go func() { pages <- w.Handle(w.t.Context(), post) }()
	}
	return pages
}

func isTooOften(t *testing.T, page login.Page) {
	t.Helper()
	if page.Status != http.StatusTooManyRequests || code(page) != login.CodeTooOften || header(page, "retry-after") != "10" || header(page, "set-cookie") != "" || page.Session != nil {
		t.Errorf("answered %d, %v", page.Status, page.Refusal)
	}
}

// A program with a session at the IdP gets a hundred assertions of its person, and
// sends them at once. A few reach STS and the application, a few at a time, and
// somebody else signs in meanwhile as ever.
func TestAHundredAssertionsOfOnePerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.slowly()
		accounts := make(chan string, 200)
		w.signIn = func(p saml.Principal) (int64, error) { accounts <- p.NameID; return 42, nil }
		var posts []login.Request
		for range 100 {
			posts = append(posts, w.ready())
		}
		began := time.Now()
		pages := w.sent(posts)
		synctest.Wait()
		w.mu.Lock()
		if w.together != 2*login.MostUnderWay {
			t.Errorf("STS is asked for %d roles at once", w.together)
		}
		w.mu.Unlock()
		other := w.browser()
		other.signsIn(func(s *samltest.Spec) { s.NameID = "somebody-else" })
		if took := time.Since(began); other.session() == nil || took != time.Second {
			t.Errorf("somebody else is in: %v, after %v", other.session() != nil, took)
		}
		entered := 0
		for range posts {
			switch page := <-pages; {
			case page.Event == "login" && page.Session != nil:
				entered++
			default:
				isTooOften(t, page)
			}
		}
		if entered != login.MostBegun || len(w.asked) != 2*(login.MostBegun+1) || len(accounts) != login.MostBegun+1 {
			t.Errorf("%d entered; STS was asked %d times, the application %d times", entered, len(w.asked), len(accounts))
		}
	})
}

// Who waits a little may begin one more, with the response that was refused: it was
// not used.
func TestALoginTooManyMayBeSentAgain(t *testing.T) {
	w := newWorld(t)
	for range login.MostBegun {
		if page := w.Handle(t.Context(), w.ready()); page.Event != "login" {
			t.Fatalf("answered %d, %v", page.Status, page.Refusal)
		}
	}
	one, another := w.ready(), w.ready()
	isTooOften(t, w.Handle(t.Context(), one))
	w.passes(login.BegunIn/login.MostBegun - 1)
	page := w.Handle(t.Context(), one)
	isTooOften(t, page)
	if !strings.Contains(string(page.Body), "Wait for a minute") {
		t.Errorf("the person is not told what to do: %s", page.Body)
	}
	w.passes(1)
	if page := w.Handle(t.Context(), one); page.Event != "login" {
		t.Errorf("a little later: %d, %v", page.Status, page.Refusal)
	}
	isTooOften(t, w.Handle(t.Context(), another))
	w.passes(login.BegunIn)
	for i := range login.MostBegun {
		if page := w.Handle(t.Context(), w.ready()); page.Event != "login" {
			t.Fatalf("much later, login %d: %d, %v", i, page.Status, page.Refusal)
		}
	}
}

// An account that many share has as many sessions as the operator says, and all of
// them may begin in the same minute.
func TestASharedAccountBeginsAsManyLoginsAsItHasSessions(t *testing.T) {
	w := newWorld(t)
	w.Sessions.PerPerson = login.MostBegun + 5
	for range w.Sessions.PerPerson {
		if page := w.Handle(t.Context(), w.ready()); page.Event != "login" {
			t.Fatalf("answered %d, %v", page.Status, page.Refusal)
		}
	}
	isTooOften(t, w.Handle(t.Context(), w.ready()))
}

// A login that waits for its turn in vain is told, and one that waits ends with the
// others when the person signs out.
func TestALoginThatWaitsForItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.slowly()
		var posts []login.Request
		for range login.MostUnderWay + 1 {
			posts = append(posts, w.ready())
		}
		late := w.ready()
		pages := w.sent(posts)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		isTooOften(t, w.Handle(ctx, late))
		if n, err := w.EndSessions(t.Context(), func(l session.Listed) bool { return l.Principal.NameID == "4711" }); n != len(posts) || err != nil {
			t.Errorf("%d logins were ended (%v), want %d", n, err, len(posts))
		}
		for range posts {
			if page := <-pages; code(page) != login.CodeEndedMeanwhile || page.Session != nil {
				t.Errorf("answered %d, %v", page.Status, page.Refusal)
			}
		}
		if n := w.Sessions.Count(); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
}

// Tries count, too: they ask STS again. One that is too many is none, and the login
// waits on.
func TestTriesAreLoginsThatBegin(t *testing.T) {
	w := newWorld(t)
	w.answers(errAway)
	for range login.MostBegun - 1 {
		if page := w.Handle(t.Context(), w.ready()); page.Event != "retry" {
			t.Fatalf("answered %d, %v", page.Status, page.Refusal)
		}
	}
	b, at := w.waits()
	asked := len(w.asked)
	for range 10 {
		isTooOften(t, b.tries(at))
	}
	if len(w.asked) != asked {
		t.Errorf("STS was asked %d times", len(w.asked)-asked)
	}
	w.passes(login.BegunIn / login.MostBegun)
	if text := string(b.sees(at).Body); !strings.Contains(text, "5 tries left") || strings.Contains(text, "A try is under way") {
		t.Errorf("a try that was none is counted, or goes on: %s", text)
	}
	w.answers(nil)
	if page := b.tries(at); b.session() == nil {
		t.Errorf("later: %d, %v", page.Status, page.Refusal)
	}
}

// Where the application signs people in and the IdP names them anew each time, one
// person is one all the same.
func TestObservedLoginsOfOnePerson(t *testing.T) {
	w := newWorld(t)
	w.observes()
	observed, made := w.sts, 0
	w.sts = func(in *sts.AssumeRoleWithSAMLInput, out *sts.AssumeRoleWithSAMLOutput) error {
		out.Subject, out.SubjectType = aws.String(fmt.Sprint("t-", made)), aws.String("transient")
		return observed(in, out)
	}
	observe := func(email string) login.Page {
		made++
		return w.Observe(t.Context(), w.theirs(func(s *samltest.Spec) {
			s.NameID, s.NameIDFormat = fmt.Sprint("t-", made), "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
			s.InResponseTo, s.Attributes = fmt.Sprint("_r-", made), []samltest.Attribute{{Name: "email", Values: []string{email}}}
		}))
	}
	for range login.MostBegun {
		if page := observe("ada@label.test"); page.Session == nil {
			t.Fatal(page.Refusal)
		}
	}
	isTooOften(t, observe("Ada@Label.test"))
	if page := observe("grace@label.test"); page.Session == nil {
		t.Errorf("somebody else: %v", page.Refusal)
	}
}

// It is known of so many people, and nobody's count is forgotten while they go on.
func TestHowManyPeopleAreCounted(t *testing.T) {
	w := newWorld(t)
	begun := 0
	for i := range 3 * login.MostPeople {
		if i%1000 == 0 && w.Count("a program") {
			begun++
		}
		w.Count(fmt.Sprint("person ", i))
	}
	if n := w.People(); n != login.MostPeople || begun != login.MostBegun {
		t.Errorf("%d people are known, and %d logins of one began", n, begun)
	}
}

// A login whose turn would come too late to end well does not begin: it is neither
// used nor counted, and the same response signs in when there is room.
func TestALoginWhoseTurnComesTooLateDoesNotBegin(t *testing.T) {
	for name, c := range map[string]struct {
		within time.Duration
		times  int
	}{
		"its turn comes after a second, with too little left": {4500 * time.Millisecond, 1},
		"it has too little from the start, again and again":   {time.Second / 2, 2 * login.MostBegun},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.slowly()
				var posts []login.Request
				for range login.MostUnderWay {
					posts = append(posts, w.ready())
				}
				late := w.ready()
				pages := w.sent(posts)
				synctest.Wait()
				ctx, cancel := context.WithTimeout(t.Context(), c.within)
				defer cancel()
				for range c.times {
					isTooOften(t, w.Handle(ctx, late))
				}
				for range posts {
					if page := <-pages; page.Event != "login" {
						t.Errorf("answered %d, %v", page.Status, page.Refusal)
					}
				}
				if page := w.Handle(t.Context(), late); page.Event != "login" {
					t.Errorf("later: answered %d, %v", page.Status, page.Refusal)
				}
			})
		})
	}
}
