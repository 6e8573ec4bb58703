package presign_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/rolepass/rolepass/presign"
)

const benchKey = "radiology/Grüße/red lung+1.png"

// benchCredentials have a session token of 1 kB, as STS gives.
func benchCredentials() *presign.Credentials { return credentials(strings.Repeat("IQoJb3Jp+/", 100)) }

func BenchmarkPresign(b *testing.B) {
	bucket, l, c, s := mustBucket(b, "imaging", "eu-west-1", ""), presign.Location{Bucket: "imaging", Key: benchKey}, benchCredentials(), at(noon)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Presign("GET", bucket, l, c); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPresignParallel(b *testing.B) {
	bucket, l, c, s := mustBucket(b, "imaging", "eu-west-1", ""), presign.Location{Bucket: "imaging", Key: benchKey}, benchCredentials(), at(noon)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Presign("GET", bucket, l, c); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkPresignFresh derives the signing key each time, as the first
// signature of a credential on a day does.
func BenchmarkPresignFresh(b *testing.B) {
	bucket, l, s := mustBucket(b, "imaging", "eu-west-1", ""), presign.Location{Bucket: "imaging", Key: benchKey}, at(noon)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Presign("GET", bucket, l, benchCredentials()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSDKPresignClient(b *testing.B) {
	c := sdkCredentials(benchCredentials())
	client := s3.NewPresignClient(s3.New(s3.Options{Region: "eu-west-1", UsePathStyle: true, Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return c, nil })}))
	input := &s3.GetObjectInput{Bucket: aws.String("imaging"), Key: aws.String(benchKey)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.PresignGetObject(context.Background(), input, s3.WithPresignExpires(time.Minute)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSDKSigner(b *testing.B) {
	signer, c := sdkSigner(), sdkCredentials(benchCredentials())
	path := "/imaging/" + benchKey
	b.ReportAllocs()
	for b.Loop() {
		request := &http.Request{Method: "GET", Host: "s3.eu-west-1.amazonaws.com", Header: http.Header{},
			URL: &url.URL{Scheme: "https", Host: "s3.eu-west-1.amazonaws.com", Path: path, RawPath: "/imaging/radiology/Gr%C3%BC%C3%9Fe/red%20lung%2B1.png", RawQuery: "X-Amz-Expires=60"}}
		if _, _, err := signer.PresignHTTP(context.Background(), c, request, "UNSIGNED-PAYLOAD", "s3", "eu-west-1", noon); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCryptoFloor is the hashing alone: SHA-256 of a canonical request of
// this size, and HMAC of the string to sign under a key that is ready.
func BenchmarkCryptoFloor(b *testing.B) {
	bucket, l, c := mustBucket(b, "imaging", "eu-west-1", ""), presign.Location{Bucket: "imaging", Key: benchKey}, benchCredentials()
	target := mustSign(b, at(noon), "GET", bucket, l, c).Target()
	canonical := []byte(target[:strings.Index(target, "&X-Amz-Signature")] + "GET\n\nhost:s3.eu-west-1.amazonaws.com\n\nhost\nUNSIGNED-PAYLOAD")
	text := make([]byte, 137)
	mac := hmac.New(sha256.New, make([]byte, 32))
	var sum [sha256.Size]byte
	b.ReportAllocs()
	for b.Loop() {
		digest := sha256.Sum256(canonical)
		copy(text, digest[:])
		mac.Reset()
		mac.Write(text)
		mac.Sum(sum[:0])
	}
}
