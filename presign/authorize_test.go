package presign_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rolepass/rolepass/presign"
)

// isKey says that S3 and ParseLocation take a key.
func isKey(s string) bool { _, err := presign.ParseLocation("s3://imaging/" + s); return err == nil }

// headerOracle is what aws-sdk-go-v2 sends for the same request, signed by
// headers: the path, and the headers beside Host.
func headerOracle(t require, method string, b presign.Bucket, l presign.Location, c *presign.Credentials, at time.Time) (string, []presign.Header) {
	path := "/" + l.Bucket + "/" + l.Key
	target := &url.URL{Scheme: b.Scheme, Host: b.Host, Path: path, RawPath: escapePath(path)}
	request := &http.Request{Method: method, URL: target, Host: b.Host, Header: http.Header{"X-Amz-Content-Sha256": {"UNSIGNED-PAYLOAD"}}}
	if err := sdkSigner().SignHTTP(context.Background(), sdkCredentials(c), request, "UNSIGNED-PAYLOAD", "s3", b.Region, at); err != nil {
		t.Fatalf("the SDK does not sign: %v", err)
	}
	var headers []presign.Header
	for name, values := range request.Header {
		headers = append(headers, presign.Header{Name: strings.ToLower(name), Value: values[0]})
	}
	slices.SortFunc(headers, func(a, b presign.Header) int { return strings.Compare(a.Name, b.Name) })
	return request.URL.EscapedPath(), headers
}

func sameAsTheSDK(t require, method string, b presign.Bucket, l presign.Location, c *presign.Credentials, now time.Time) {
	t.Helper()
	got, err := at(now).Authorize(method, b, l, c)
	if err != nil {
		t.Fatalf("Authorize: %v", err)
	}
	path, headers := headerOracle(t, method, b, l, c, now)
	if got.Target() != path || !slices.Equal(got.Headers(), headers) {
		t.Fatalf("%s %s:\n got %s %v\nwant %s %v", method, l.URI(), got.Target(), got.Headers(), path, headers)
	}
}

func TestSameHeadersAsTheSDK(t *testing.T) {
	for _, method := range []string{"GET", "HEAD"} {
		for _, token := range []string{"", "IQoJb3JpZ2luX2VjE+//wEa/=="} {
			for _, key := range hardKeys {
				sameAsTheSDK(t, method, mustBucket(t, "imaging", "eu-west-1", ""), presign.Location{Bucket: "imaging", Key: key}, credentials(token), noon)
			}
		}
	}
}

func TestSameHeadersAsTheSDKForAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.StringN(1, 60, 300).Filter(isKey).Draw(t, "key")
		region := rapid.SampledFrom([]string{"us-east-1", "eu-west-1", "cn-north-1"}).Draw(t, "region")
		endpoint := rapid.SampledFrom([]string{"", "https://s3.example.com", "http://127.0.0.1:9000", "http://[::1]:9000"}).Draw(t, "endpoint")
		now := time.Unix(rapid.Int64Range(0, 4102444800).Draw(t, "now"), 0)
		c := &presign.Credentials{
			AccessKeyID:     rapid.StringMatching(`[A-Z0-9]{16,20}`).Draw(t, "id"),
			SecretAccessKey: presign.Secret(rapid.StringMatching(`[A-Za-z0-9+/]{1,60}`).Draw(t, "secret")),
			SessionToken:    presign.Secret(rapid.StringOfN(rapid.RuneFrom([]rune("ABCxyz019+/=")), 0, 2000, -1).Draw(t, "token")),
			Expires:         now.Add(time.Hour), STS: "aws",
		}
		sameAsTheSDK(t, "GET", mustBucket(t, "imaging", region, endpoint), presign.Location{Bucket: "imaging", Key: key}, c, now)
	})
}

func TestAuthorizeRefusesWhatPresignRefuses(t *testing.T) {
	b, l := mustBucket(t, "imaging", "eu-west-1", ""), presign.Location{Bucket: "imaging", Key: "a.png"}
	elsewhere, ended := credentials(""), credentials("")
	elsewhere.STS, ended.Expires = "another", noon.Add(time.Second)
	for want, try := range map[error]func() (presign.Authorized, error){
		presign.ErrMethod:  func() (presign.Authorized, error) { return at(noon).Authorize("PUT", b, l, credentials("")) },
		presign.ErrIssuer:  func() (presign.Authorized, error) { return at(noon).Authorize("GET", b, l, elsewhere) },
		presign.ErrExpired: func() (presign.Authorized, error) { return at(noon).Authorize("GET", b, l, ended) },
		presign.ErrLocation: func() (presign.Authorized, error) {
			return at(noon).Authorize("GET", b, presign.Location{Bucket: "imaging", Key: "a/../b"}, credentials(""))
		},
	} {
		if got, err := try(); err != want || got.Target() != "" {
			t.Errorf("%v, want %v", err, want)
		}
	}
}

func TestAuthorizedShowsNothing(t *testing.T) {
	signed, err := at(noon).Authorize("GET", mustBucket(t, "imaging", "eu-west-1", ""), presign.Location{Bucket: "imaging", Key: "a.png"}, credentials("a-token"))
	if err != nil {
		t.Fatal(err)
	}
	text, _ := signed.MarshalText()
	for _, shown := range []string{fmt.Sprint(signed), fmt.Sprintf("%+v %#v", signed, signed), string(text), signed.LogValue().String()} {
		if strings.Contains(shown, "a-token") || strings.Contains(shown, "Signature") || strings.Contains(shown, "a.png") {
			t.Errorf("it shows %s", shown)
		}
	}
}

// What a signed location asks of S3's answer is under the signature, as the SDK
// would put it there.
func TestSignedResponseHeaders(t *testing.T) {
	b, c := mustBucket(t, "imaging", "eu-west-1", ""), credentials("IQoJ+/==")
	for _, key := range hardKeys {
		for _, as := range []presign.Response{
			{CacheControl: "no-store, max-age=0"},
			{CacheControl: "no-store, max-age=0", ContentType: "image/svg+xml", ContentDisposition: "attachment"},
			{ContentType: "text/csv; charset=utf-8"},
		} {
			l, query := presign.Location{Bucket: "imaging", Key: key}, url.Values{"X-Amz-Expires": {"60"}}
			for name, value := range map[string]string{"cache-control": as.CacheControl, "content-type": as.ContentType, "content-disposition": as.ContentDisposition} {
				if value != "" {
					query.Set("response-"+name, value)
				}
			}
			path := "/" + l.Bucket + "/" + l.Key
			request := &http.Request{Method: "GET", Host: b.Host, Header: http.Header{}, URL: &url.URL{
				Scheme: b.Scheme, Host: b.Host, Path: path, RawPath: escapePath(path), RawQuery: query.Encode()}}
			want, _, err := sdkSigner().PresignHTTP(context.Background(), sdkCredentials(c), request, "UNSIGNED-PAYLOAD", "s3", b.Region, noon)
			if err != nil {
				t.Fatal(err)
			}
			got, err := at(noon).PresignAs("GET", b, l, c, as)
			if err != nil || got.URL() != want {
				t.Errorf("%v\n got %s\nwant %s", err, got.URL(), want)
			}
		}
	}
}
