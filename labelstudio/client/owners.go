package client

import (
	"net/netip"

	"github.com/rolepass/rolepass/recent"
	"github.com/rolepass/rolepass/refusal"
)

const (
	// mostOwners is how many unknown tokens are looked up at once, and how many
	// known ones beside them.
	mostOwners = 8
	// mostFrom is how many of the unknown ones may come from one place.
	mostFrom = mostOwners / 2
	// mostKnown is how many tokens of programs are remembered.
	mostKnown = 1000
)

// owners are the turns of the questions whose a token is. Anybody can make up
// tokens, so those have turns of their own, and one place has half of them: a
// program whose token is new, as Label Studio's access tokens are every few
// minutes, finds one. A token that was a program's before has other turns, which
// nothing that is made up can take.
type owners struct {
	known         *recent.Map[string, struct{}] // by credential
	asked, others int
	from          map[string]int
}

func newOwners() owners {
	return owners{known: recent.New[string, struct{}](nil), from: map[string]int{}}
}

// turn takes a turn, and gives what hands it back; nil: there is none now.
func (o *owners) turn(asker Asker) (back func()) {
	if _, ok := o.known.Get(asker.Credential); ok {
		if o.asked >= mostOwners {
			return nil
		}
		o.asked++
		return func() { o.asked-- }
	}
	from := place(asker.From)
	if o.others >= mostOwners || o.from[from] >= mostFrom {
		return nil
	}
	o.others++
	o.from[from]++
	return func() {
		o.others--
		if o.from[from]--; o.from[from] == 0 {
			delete(o.from, from)
		}
	}
}

// place is an address, as far as it is somebody's: of IPv6 a whole /64, out of
// which a single machine has any (RFC 6177).
func place(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if ip = ip.Unmap().WithZone(""); ip.Is4() {
		return ip.String()
	}
	network, err := ip.Prefix(64)
	if err != nil {
		return address
	}
	return network.String()
}

// Recognised tells that the asker's token, which Label Studio has just said is
// somebody's, is a program's. The token of a mere user is not told of: they may
// have as many as they like.
func (c *Client) Recognised(asker Asker) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.owners.known.Get(asker.Credential); ok {
		return
	}
	c.owners.known.Put(asker.Credential, struct{}{})
	if c.owners.known.Len() > mostKnown {
		c.owners.known.RemoveOldest()
	}
}

func tooManyTokens() *refusal.Refusal {
	return refusal.New(refusal.Unavailable, CodeBusy, "More tokens are being looked up than programs have: somebody tries tokens out, or Label Studio is slow. Programs ask again.")
}
