package e2e_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
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

// audited is what the audit says of one request.
type audited struct {
	ID      string `json:"request_id"`
	Code    string `json:"code"`
	Cause   string `json:"cause"`
	IdP     string `json:"idp"`
	Who     string `json:"who"`
	Role    string `json:"role"`
	Task    int64  `json:"task"`
	Project int64  `json:"project"`
}

// auditOf reads an audit.
func auditOf(t testing.TB, file string) (all []audited) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		var one audited
		if json.Unmarshal(line, &one) == nil { // the last line may be half written
			all = append(all, one)
		}
	}
	return all
}

// auditedAs waits until the audit has this very refusal, and gives its code.
func (v *visitor) auditedAs(refused answer) string {
	v.t.Helper()
	var said struct {
		ID string `json:"request_id"`
	}
	if err := json.Unmarshal(refused.body, &said); err != nil || said.ID == "" {
		v.t.Fatalf("a refusal without a request id: %.300s", refused.body)
	}
	deadline := time.After(logPatience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		for _, record := range auditOf(v.t, v.demo.Logs["audit"]) {
			if record.ID == said.ID {
				return record.Code
			}
		}
		select {
		case <-tick.C:
		case <-deadline:
			v.t.Fatalf("the audit has no record of %s", said.ID)
		}
	}
}

// refusedAs fails unless the answer is a 403 to which the audit gives this code.
func (v *visitor) refusedAs(got answer, code string) {
	v.t.Helper()
	if found := v.auditedAs(v.mustBe(got, http.StatusForbidden)); found != code {
		v.t.Errorf("it is refused as %s, not %s", found, code)
	}
}

// logPatience is how much later than its answer a request may be logged.
const logPatience = time.Minute
