package server

import (
	"testing"

	"github.com/rolepass/rolepass/labelstudio"
)

// Each request that stands for a side door needs that one.
func TestTheDoorsOfAReplay(t *testing.T) {
	for door, request := range doors {
		if got := labelstudio.Read(request.method, request.target); got.Kind != labelstudio.SideDoor || got.Door != door {
			t.Errorf("%s %s is read as %v, door %q, and not %q", request.method, request.target, got.Kind, got.Door, door)
		}
	}
	if len(doors) != 6 {
		t.Errorf("there are requests for %d doors", len(doors))
	}
}
