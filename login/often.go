package login

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/rolepass/rolepass/recent"
	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml"
)

// CodeTooOften is a login of somebody who begins more of them than a person does.
const CodeTooOften refusal.Code = "login_too_often"

const (
	// mostBegun is how many logins one person begins at once, or as many as they
	// may have sessions, if that is more: a browser that opens all of its tabs
	// again begins one for each.
	mostBegun = 30
	// begunIn is how long it takes until they may begin as many again.
	begunIn = 5 * time.Minute
	// mostUnderWay is how many of them are under way at a time, or an eighth of
	// how many they may have sessions. The others wait.
	mostUnderWay = 4
	// needed is what a login needs of its time once it is its turn: what begins
	// later would be used up and come to nothing.
	needed = 4 * time.Second
	// mostPeople is of how many people this is known. Who is forgotten for others
	// may begin anew; it takes 55 logins a second to be so within begunIn. It is
	// 4 MB.
	mostPeople = 1 << 14
)

// people bound what one person costs others: each login asks STS for every role,
// at a rate that the whole AWS account shares, and the application, which hashes a
// password for it. An assertion is needed to be counted, so strangers are not. The
// zero value is ready.
type people struct {
	mu  sync.Mutex
	all *recent.Map[string, *onePerson]
}

type onePerson struct {
	turns chan struct{}
	// rested is when all of their logins may begin at once again. Each login that
	// begins moves it on (the generic cell rate algorithm).
	rested time.Time
}

// counts a login of a person, or says that there were too many. A person may begin
// so many at once.
func (p *people) counts(person string, now time.Time, most int) (one *onePerson, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		p.all = recent.New[string, *onePerson](nil)
	}
	one, known := p.all.Get(person)
	if !known {
		if p.all.Len() >= mostPeople {
			p.all.RemoveOldest()
		}
		one = &onePerson{turns: make(chan struct{}, max(mostUnderWay, most/8))}
		p.all.Put(person, one)
	}
	rested := now
	if one.rested.After(now) {
		rested = one.rested
	}
	rested = rested.Add(begunIn / time.Duration(most))
	if rested.Sub(now) > begunIn {
		return nil, false
	}
	one.rested = rested
	return one, true
}

// takeBack is for a login that was counted and did not begin.
func (p *people) takeBack(one *onePerson, most int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	one.rested = one.rested.Add(-begunIn / time.Duration(most))
}

// begins lets one more login of a person go on to STS and the application, when it
// is its turn among theirs. It gives what ends that.
func (s *Service) begins(ctx context.Context, person string) (over func(), err error) {
	most := max(mostBegun, s.Sessions.PerPerson)
	one, ok := s.people.counts(person, s.Now(), most)
	if !ok {
		return nil, refusal.New(refusal.TooMany, CodeTooOften, "one person began more logins than people do, and this one was not taken to STS: if a program signs in as them, end it; if many share the account, raise session per_person")
	}
	if !one.takeTurn(ctx) {
		s.people.takeBack(one, most)
		return nil, refusal.New(refusal.TooMany, CodeTooOften, "%d logins of one person are under way, and this one waited for them in vain: does STS answer slowly, or does a program sign in as them?", cap(one.turns))
	}
	return func() { <-one.turns }, nil
}

// takeTurn waits for a turn as long as the login could still come to its end.
func (one *onePerson) takeTurn(ctx context.Context) bool {
	select {
	case one.turns <- struct{}{}:
		return true
	default:
	}
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-needed))
		defer cancel()
	}
	select {
	case one.turns <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	if ctx.Err() != nil { // both came at once
		<-one.turns
		return false
	}
	return true
}

// personOf names the person of a login. An IdP that names people anew at each login
// is believed about their e-mail address, as where their sessions are counted.
func personOf(p saml.Principal) string {
	if p.NameIDFormat == transient && p.Email != "" {
		p.NameID = strings.ToLower(p.Email)
	}
	return whoseIs(p)
}
