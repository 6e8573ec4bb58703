package session

import (
	"bytes"
	"sync"
	"time"

	"github.com/rolepass/rolepass/recent"
)

// mostOpened bounds how many sessions are remembered as opened, unless a Manager
// says otherwise. Each takes about a kilobyte.
const mostOpened = 1 << 15

// opened remembers what came out of records, since each request would open
// its session's again. It decides nothing: the store is asked every time, and
// what is remembered counts only beside the very record that the store gives
// now. A session that was ended, here or by another replica, has none.
type opened struct {
	mu   sync.Mutex
	kept *recent.Map[string, openedRecord]
}

type openedRecord struct {
	record  []byte
	session *Session
	ends    time.Time
}

func (o *opened) get(id string, record []byte, now time.Time) (*Session, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.kept == nil {
		return nil, false
	}
	kept, ok := o.kept.Get(id)
	if !ok || !now.Before(kept.ends) || !bytes.Equal(kept.record, record) {
		return nil, false
	}
	return kept.session, true
}

func (o *opened) remove(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.kept != nil {
		o.kept.Remove(id)
	}
}

// put remembers a session, and most others.
func (o *opened) put(id string, record []byte, s *Session, ends time.Time, most int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.kept == nil {
		o.kept = recent.New[string, openedRecord](nil)
	}
	o.kept.Put(id, openedRecord{record, s, ends})
	if most == 0 {
		most = mostOpened
	}
	if o.kept.Len() > most {
		o.kept.RemoveOldest()
	}
}
