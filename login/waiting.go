package login

import (
	"sync"
	"time"

	"github.com/rolepass/rolepass/session"
)

const (
	// waitingBytes bounds what all logins that wait may take in memory. A
	// response is ten thousand bytes as a rule and 133,000 at most.
	waitingBytes = 16 << 20
	// waitingOverhead is what one costs beside its record, roughly.
	waitingOverhead = 512
	// mostTries is how often one login may be tried again.
	mostTries = 5
)

// waitingRoom holds the logins that wait to be tried again: verified, used up, and
// without credentials because STS did not answer. It holds sealed records, each
// of which opens only with what the browser has; it is memory of this process,
// and bounded. A person has one at most: the newest. The zero value is ready.
type waitingRoom struct {
	mu      sync.Mutex
	size    int
	byName  map[string]*waiter
	byOwner map[string]string // the person, as whoseIs names them, to the login
}

type waiter struct {
	record []byte
	as     session.Listed // without an ID
	owner  string         // the person, as whoseIs names them
	tries  int
	taken  bool // by a try that is under way
	timer  *time.Timer
}

func (w *waiter) cost() int {
	p, n := w.as.Principal, len(w.record)+waitingOverhead
	for _, text := range append([]string{p.NameID, p.NameIDFormat, p.SessionName, p.Email, p.FirstName, p.LastName, w.as.IdPSession}, w.as.Roles...) {
		n += len(text)
	}
	return n
}

// put lets a login wait, in place of another one of the same person. It says
// whether there is room: others are not pushed out for it.
func (w *waitingRoom) put(name string, as session.Listed, record []byte, life time.Duration) bool {
	owner := whoseIs(as.Principal)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byName == nil {
		w.byName, w.byOwner = map[string]*waiter{}, map[string]string{}
	}
	w.drop(w.byOwner[owner])
	one := &waiter{record: record, as: as, owner: owner}
	if _, there := w.byName[name]; there || life <= 0 || w.size+one.cost() > waitingBytes {
		return false
	}
	w.byName[name], w.byOwner[owner] = one, name
	w.size += one.cost()
	one.timer = time.AfterFunc(life, func() { w.ends(name, one) })
	return true
}

// Waiting is how many logins wait to be tried again.
func (s *Service) Waiting() int {
	s.waiting.mu.Lock()
	defer s.waiting.mu.Unlock()
	return len(s.waiting.byName)
}

// look gives the record of a login that waits, how often it may be tried, and
// whether a try is under way.
func (w *waitingRoom) look(name string) (record []byte, left int, taken bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	one := w.byName[name]
	if one == nil {
		return nil, 0, false
	}
	return one.record, mostTries - one.tries, one.taken
}

// take begins a try, which is counted, and says whose. Of concurrent callers one is
// given it, until the login is let go.
func (w *waitingRoom) take(name string) (owner string, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	one := w.byName[name]
	if one == nil || one.taken || one.tries >= mostTries {
		return "", false
	}
	one.taken = true
	one.tries++
	return one.owner, true
}

// giveBack takes back a try that was none.
func (w *waitingRoom) giveBack(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if one := w.byName[name]; one != nil {
		one.taken = false
		one.tries--
	}
}

// letGo ends a try. The login waits on if it is to, and may. It is not there if
// it was forgotten during the try.
func (w *waitingRoom) letGo(name string, waits bool) (there, stays bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	one := w.byName[name]
	if one == nil {
		return false, false
	}
	if !waits || one.tries >= mostTries {
		w.drop(name)
		return true, false
	}
	one.taken = false
	return true, true
}

// forget drops a login.
func (w *waitingRoom) forget(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drop(name)
}

// forgetOwner drops the login of a person.
func (w *waitingRoom) forgetOwner(owner string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drop(w.byOwner[owner])
}

// end drops the logins that are wanted.
func (w *waitingRoom) end(wanted func(session.Listed) bool) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, one := range w.byName {
		if wanted(one.as) {
			w.drop(name)
			n++
		}
	}
	return n
}

// ends is the end of a login's time. Another one may have its name by then.
func (w *waitingRoom) ends(name string, one *waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byName[name] == one {
		w.drop(name)
	}
}

// drop forgets a login; the caller holds the lock.
func (w *waitingRoom) drop(name string) {
	one := w.byName[name]
	if one == nil {
		return
	}
	one.timer.Stop()
	w.size -= one.cost()
	delete(w.byName, name)
	delete(w.byOwner, one.owner)
}
