package e2e_test

import (
	"testing"
	"time"

	"github.com/rolepass/rolepass/e2e/s3guard"
	"github.com/rolepass/rolepass/e2e/stack"
)

// appSaw gives what has arrived at Label Studio.
func appSaw(t *testing.T) []stack.AppRequest {
	t.Helper()
	all, err := running(t).AppRequests()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// s3Saw gives what has arrived at S3.
func s3Saw(t *testing.T) []s3guard.Record {
	t.Helper()
	all, err := s3guard.ReadLog(running(t).Demo.Logs["s3_requests"])
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// stsSaw gives the calls of AssumeRoleWithSAML.
func stsSaw(t *testing.T) []stack.Exchange {
	t.Helper()
	all, err := running(t).Exchanges()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// storeRead waits until the S3 server itself has logged a read with this
// access key, and gives it.
func storeRead(t *testing.T, accessKeyID string) stack.StoreRead {
	t.Helper()
	deadline := time.After(logPatience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		all, err := running(t).StoreReads()
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range all {
			if one.AccessKeyID == accessKeyID {
				return one
			}
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("the S3 server has logged no read with access key %s", accessKeyID)
		}
	}
}

// logPatience is how much later than its answer a request may be logged.
const logPatience = 20 * time.Second
