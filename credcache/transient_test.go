package credcache_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/refusal"
)

// What is worth another try is told from what STS means, as its own client reads
// the answer from the wire.
func TestWhichAnswersOfSTSMayPass(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string // empty: the answer is no error of AWS's form
		want   refusal.Code
	}{
		{500, "InternalFailure", "sts_unavailable"},
		{503, "ServiceUnavailable", "sts_unavailable"},
		{502, "", "sts_unavailable"},
		{408, "RequestTimeout", "sts_unavailable"},
		{400, "Throttling", "sts_throttled"},
		{400, "ThrottlingException", "sts_throttled"},
		{429, "SomethingNew", "sts_throttled"},
		{503, "SlowDown", "sts_throttled"},
		{403, "AccessDenied", "sts_refused"},
		{400, "ExpiredTokenException", "sts_refused"},
		{400, "InvalidIdentityToken", "sts_refused"},
		{403, "IDPRejectedClaim", "sts_refused"},
		{400, "MalformedPolicyDocument", "sts_refused"},
		{400, "PackedPolicyTooLarge", "sts_refused"},
		{403, "RegionDisabledException", "sts_refused"},
		{400, "ValidationError", "sts_refused"},
		{400, "SomethingNew", "sts_refused"},
	} {
		t.Run(fmt.Sprint(c.status, c.code), func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				if c.code != "" {
					fmt.Fprintf(w, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>%s</Code><Message>no</Message></Error><RequestId>r</RequestId></ErrorResponse>`, c.code)
				}
			}))
			defer server.Close()
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			client := sts.New(sts.Options{Region: "eu-west-1", BaseEndpoint: aws.String(server.URL), Credentials: aws.AnonymousCredentials{}, RetryMaxAttempts: 1, HTTPClient: &http.Client{Transport: transport}})
			exchanger := &credcache.Exchanger{Name: "aws", STS: client, Duration: time.Hour, Called: func(string) {}}
			_, err := exchanger.Exchange(t.Context(), order())
			var ref *refusal.Refusal
			if !errors.As(err, &ref) || ref.Code != c.want {
				t.Fatalf("%v, want %s", err, c.want)
			}
			if passes := c.want != "sts_refused"; credcache.MayPass(err) != passes {
				t.Errorf("may pass is %v", !passes)
			}
		})
	}
	if credcache.MayPass(refusal.New(refusal.Forbidden, credcache.CodeMismatch, "")) || credcache.MayPass(errors.New("ours")) || credcache.MayPass(nil) {
		t.Error("what is not STS's failure is tried again")
	}
}
