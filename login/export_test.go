package login

import (
	"fmt"
	"time"

	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/session"
)

// ReturnTo is where a login leads that began at a target.
var ReturnTo = returnTo

// RefuseResponse is the page about a response that is not accepted.
func (s *Service) RefuseResponse(r Request, err error) Page { return s.refuseResponse(r, err) }

// WaitingBytes is the room that there is for logins that wait.
const WaitingBytes = waitingBytes

// Waits says how many logins wait to be tried again, and how much they take.
func (s *Service) Waits() (logins, bytes int) {
	s.waiting.mu.Lock()
	defer s.waiting.mu.Unlock()
	return len(s.waiting.byName), s.waiting.size
}

// Fill lets logins of others wait until there is no more room.
func (s *Service) Fill() (logins int) {
	for _, size := range []int{100_000, 1} {
		for s.waiting.put(fmt.Sprint("name", logins), session.Listed{Principal: saml.Principal{NameID: fmt.Sprint("owner", logins)}}, make([]byte, size), time.Hour) {
			logins++
		}
	}
	return logins
}

// Record is what is kept of a login that waits.
func (s *Service) Record(name string) []byte {
	record, _, _ := s.waiting.look(name)
	return record
}

// Figures of the bound on one person's logins.
const (
	MostBegun    = mostBegun
	MostUnderWay = mostUnderWay
	BegunIn      = begunIn
	MostPeople   = mostPeople
)

// Count counts a login of a person, and says whether there may be one.
func (s *Service) Count(person string) bool {
	_, ok := s.people.counts(person, s.Now(), mostBegun)
	return ok
}

// People is of how many people it is known how many logins they begin.
func (s *Service) People() int { return s.people.all.Len() }
