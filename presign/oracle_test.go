package presign_test

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/rolepass/rolepass/presign"
	"pgregory.net/rapid"
)

// oracle is what aws-sdk-go-v2 signs for the same request. It is given the
// path already escaped, because from a bare Path it would leave "+" as it is.
func oracle(t require, method string, b presign.Bucket, l presign.Location, c *presign.Credentials, seconds int64, at time.Time) string {
	path := "/" + l.Bucket + "/" + l.Key
	target := &url.URL{Scheme: b.Scheme, Host: b.Host, Path: path, RawPath: escapePath(path), RawQuery: "X-Amz-Expires=" + strconv.FormatInt(seconds, 10)}
	request := &http.Request{Method: method, URL: target, Host: b.Host, Header: http.Header{}}
	signed, _, err := sdkSigner().PresignHTTP(context.Background(), sdkCredentials(c), request, "UNSIGNED-PAYLOAD", "s3", b.Region, at)
	if err != nil {
		t.Fatalf("the SDK does not sign: %v", err)
	}
	return signed
}

func sdkSigner() *v4.Signer {
	return v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
}

func sdkCredentials(c *presign.Credentials) aws.Credentials {
	return aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey.Reveal(), SessionToken: c.SessionToken.Reveal()}
}

// escapePath escapes for RFC 3986 with the standard library's help only, so
// that it shares nothing with what it is compared with.
func escapePath(path string) string {
	var escaped string
	for _, c := range []byte(path) {
		switch {
		case c == '/' || c == '-' || c == '.' || c == '_' || c == '~', '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
			escaped += string(rune(c))
		default:
			escaped += "%" + string("0123456789ABCDEF"[c/16]) + string("0123456789ABCDEF"[c%16])
		}
	}
	return escaped
}

type require interface {
	Helper()
	Fatalf(string, ...any)
}

func mustBucket(t require, name, region, endpoint string) presign.Bucket {
	t.Helper()
	b, err := presign.NewBucket(name, region, "aws", endpoint)
	if err != nil {
		t.Fatalf("NewBucket(%q, %q, %q): %v", name, region, endpoint, err)
	}
	return b
}

func mustSign(t require, s *presign.Signer, method string, b presign.Bucket, l presign.Location, c *presign.Credentials) presign.Presigned {
	t.Helper()
	signed, err := s.Presign(method, b, l, c)
	if err != nil {
		t.Fatalf("Presign: %v", err)
	}
	return signed
}

var noon = time.Date(2026, 11, 24, 12, 0, 0, 987654321, time.UTC)

// credentials last an hour beyond noon.
func credentials(token string) *presign.Credentials {
	return &presign.Credentials{AccessKeyID: "ASIAIOSFODNN7EXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", SessionToken: presign.Secret(token), Expires: noon.Add(time.Hour), STS: "aws"}
}

func at(now time.Time) *presign.Signer {
	return &presign.Signer{Now: func() time.Time { return now }}
}

// hardKeys are keys at which signers, proxies and servers have failed.
var hardKeys = []string{
	"radiology/red lung+1.png", "a", "a/b/c.png", "Grüße/日本語/🫁.png", "x%2Fy", "x%252Fy", "%", "a&b=c;d", "a#b", "()'!*", ";,=@:$", "~-._",
	`back\slash`, "\"quoted\" <tag>", "e\u0301 and \u00e9", "\u202e\u2028", "a/ b /c", "trailing/", "...", "a/.../b", ".hidden", "a..b", "{x}|^`[y]",
}

func TestSameURLAsTheSDK(t *testing.T) {
	for _, method := range []string{"GET", "HEAD"} {
		for _, token := range []string{"", "IQoJb3JpZ2luX2VjE+//wEa/=="} {
			for _, key := range hardKeys {
				b, l, c := mustBucket(t, "imaging", "eu-west-1", ""), presign.Location{Bucket: "imaging", Key: key}, credentials(token)
				got := mustSign(t, at(noon), method, b, l, c)
				if want := oracle(t, method, b, l, c, 60, noon); got.URL() != want {
					t.Errorf("%s %s:\n got %s\nwant %s", method, l.URI(), got.URL(), want)
				}
			}
		}
	}
}

func TestSameURLAsTheSDKForAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		anyKey := rapid.StringN(1, 60, 300).Filter(isKey)
		keys := rapid.SliceOfN(anyKey, 10, 20).Draw(t, "keys")
		bucket := rapid.StringMatching(`[a-z][a-z0-9-]{1,20}[a-z]`).Draw(t, "bucket")
		region := rapid.SampledFrom([]string{"us-east-1", "eu-west-1", "ap-southeast-2", "cn-north-1", "us-gov-west-1"}).Draw(t, "region")
		endpoint := rapid.SampledFrom([]string{"", "https://s3.example.com", "http://127.0.0.1:9000", "https://S3.example.com:443", "http://[::1]:9000"}).Draw(t, "endpoint")
		now := time.Unix(rapid.Int64Range(0, 4102444800).Draw(t, "now"), 0)
		seconds := rapid.Int64Range(1, 604800).Draw(t, "seconds")
		c := &presign.Credentials{
			AccessKeyID:     rapid.StringMatching(`[A-Z0-9]{16,20}`).Draw(t, "id"),
			SecretAccessKey: presign.Secret(rapid.StringMatching(`[A-Za-z0-9+/]{1,60}`).Draw(t, "secret")),
			SessionToken:    presign.Secret(rapid.StringOfN(rapid.RuneFrom([]rune("ABCxyz019+/=")), 0, 2000, -1).Draw(t, "token")),
			Expires:         now.Add(30 * 24 * time.Hour), STS: "aws",
		}

		b, s := mustBucket(t, bucket, region, endpoint), at(now)
		s.Expires = time.Duration(seconds) * time.Second
		for _, key := range keys {
			for _, method := range []string{"GET", "HEAD"} {
				l := presign.Location{Bucket: bucket, Key: key}
				got := mustSign(t, s, method, b, l, c)
				if want := oracle(t, method, b, l, c, seconds, now); got.URL() != want {
					t.Fatalf("\n got %s\nwant %s", got.URL(), want)
				}
			}
		}
	})
}

// What is prepared once for many signatures (the key of a day and a region, the
// query of a second) is never used for others.
func TestOneCredentialSignsManyTimesAndRegions(t *testing.T) {
	c := credentials("IQoJb3JpZ2luX2VjE+//wEa/==")
	c.Expires = noon.Add(1000 * time.Hour)
	for _, region := range []string{"eu-west-1", "us-east-1", "eu-west-1"} {
		for _, later := range []time.Duration{0, 12 * time.Millisecond, 13 * time.Millisecond, time.Second, 12 * time.Hour, 36 * time.Hour, -13 * time.Hour, 0} {
			for _, seconds := range []int64{60, 61, 60} {
				now, b, l := noon.Add(later), mustBucket(t, "imaging", region, ""), presign.Location{Bucket: "imaging", Key: "a+b/ü.png"}
				s := at(now)
				s.Expires = time.Duration(seconds) * time.Second
				if got, want := mustSign(t, s, "GET", b, l, c).URL(), oracle(t, "GET", b, l, c, seconds, now); got != want {
					t.Fatalf("at %s in %s for %d s:\n got %s\nwant %s", now, region, seconds, got, want)
				}
			}
		}
	}
}
