package decision_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/rolepass/rolepass/decision"
)

// BenchmarkDecide is one decision with the application's answer known, beside
// what the AWS SDK needs to sign the same location alone: read the figures as
// ratios within one run.
func BenchmarkDecide(b *testing.B) {
	w := newWorld(b)
	w.Sinks = nil
	cookie := w.signedIn(radiology)
	fetch := request("GET", fetching("7", lung), cookie)
	pass := request("GET", "/api/tasks?project=12&page=1", "csrftoken=c; "+cookie)
	if got := w.Decider.Decide(b.Context(), fetch); got.Kind != decision.Stream {
		b.Fatalf("decided %v %s", got.Kind, got.Code)
	}
	for name, r := range map[string]decision.Request{"fetch": fetch, "pass": pass} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w.Decider.Decide(b.Context(), r)
			}
		})
	}
	b.Run("sdk-signer-alone", func(b *testing.B) {
		signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
		credentials := aws.Credentials{AccessKeyID: "ASIAlogy", SecretAccessKey: "secret", SessionToken: strings.Repeat("t", 1000)}
		b.ReportAllocs()
		for b.Loop() {
			r, err := http.NewRequest("GET", "https://s3.eu-west-1.amazonaws.com/imaging/radiology/lung.png?X-Amz-Expires=60", nil)
			if err != nil {
				b.Fatal(err)
			}
			if _, _, err := signer.PresignHTTP(b.Context(), credentials, r, "UNSIGNED-PAYLOAD", "s3", "eu-west-1", w.clock()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
