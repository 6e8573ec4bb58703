package presign_test

import (
	"testing"

	"github.com/rolepass/rolepass/e2e/raced"
	"github.com/rolepass/rolepass/presign"
)

func TestSigningAllocatesTheLocationOnly(t *testing.T) {
	b, l, c, s := mustBucket(t, "imaging", "eu-west-1", ""), presign.Location{Bucket: "imaging", Key: benchKey}, benchCredentials(), at(noon)
	if got := testing.AllocsPerRun(200, func() { mustSign(t, s, "GET", b, l, c) }); got > 1+raced.Room {
		t.Errorf("one signature takes %.0f allocations, more than the location", got)
	}
}
