package e2e_test

import (
	"testing"

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
