package envoytest_test

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/rolepass/rolepass/envoy/contract"
)

const signature = "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Security-Token=t%2F%2B%3D&X-Amz-Signature=0badc0de"

func TestSignedPathReachesS3ByteForByte(t *testing.T) {
	r := newRig(t)
	for _, key := range []string{
		"/imaging/radiology/lung.png",
		"/imaging/a%20b%2Bc%26d",
		"/imaging/%C3%A4%E2%82%AC.png",
		"/imaging/literal%252Fslash",
		"/imaging/encoded%2Fslash%5Cback",
		"/imaging//double///slash",
		"/imaging/./dot/../dotdot/%2e%2e/x",
		"/imaging/(paren)!*'~;,=@:$",
		"/imaging/" + strings.Repeat("k", 1024),
	} {
		r.check.answers(stream(r.s3.host(), key+signature))
		got := r.send("GET /tasks/7/resolve/?fileuri=abc")
		seen := r.s3.requests()
		last := seen[len(seen)-1]
		if got.StatusCode != 200 || got.body != "from s3" || last.RequestURI != key+signature || last.Host != r.s3.host() {
			t.Errorf("%s: the browser got %d %q, S3 saw %s at host %s", key, got.StatusCode, got.body, last.RequestURI, last.Host)
		}
	}
	if len(r.app.requests()) != 0 {
		t.Error("the application saw a data fetch")
	}
}

// STS hands out session tokens of up to 4,096 bytes; escaped, each byte may
// become three.
func TestLongSessionTokenFits(t *testing.T) {
	r := newRig(t)
	path := "/imaging/" + strings.Repeat("%E2%82%AC", 340) + "?X-Amz-Security-Token=" + strings.Repeat("%2B", 4096) + "&X-Amz-Signature=00"
	r.check.answers(stream(r.s3.host(), path))
	if got := r.send("GET /tasks/7/resolve/?fileuri=abc", "Cookie: "+strings.Repeat("c", 8<<10)); got.StatusCode != 200 {
		t.Fatalf("a path of %d bytes: %d", len(path), got.StatusCode)
	}
	if got := r.s3.only(t).RequestURI; got != path {
		t.Errorf("S3 saw another path of %d bytes", len(got))
	}
}

func TestS3AnswersPassAsTheyAre(t *testing.T) {
	r := newRig(t)
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	r.s3.responds(func(w http.ResponseWriter, request *http.Request) {
		if strings.HasPrefix(request.URL.Path, "/imaging/missing") {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "image/png")
		w.Header().Set("ETag", `"e1"`)
		http.ServeContent(w, request, "", time.Unix(1_700_000_000, 0), bytes.NewReader(content))
	})
	for _, c := range []struct {
		name, line, path string
		headers          []string
		status, size     int
		header, value    string
	}{
		{"whole", "GET", "/imaging/x", nil, 200, len(content), "Content-Type", "image/png"},
		{"range", "GET", "/imaging/x", []string{"Range: bytes=3-9"}, 206, 7, "Content-Range", "bytes 3-9/1048576"},
		{"range beyond", "GET", "/imaging/x", []string{"Range: bytes=9999999-"}, 416, -1, "Content-Range", "bytes */1048576"},
		{"if-range", "GET", "/imaging/x", []string{"Range: bytes=3-9", `If-Range: "e0"`}, 200, len(content), "Etag", `"e1"`},
		{"unchanged", "GET", "/imaging/x", []string{`If-None-Match: "e1"`}, 304, 0, "Etag", `"e1"`},
		{"head", "HEAD", "/imaging/x", nil, 200, 0, "Content-Length", "1048576"},
		{"missing", "GET", "/imaging/missing", nil, 404, -1, "Cache-Control", "no-store"},
	} {
		r.check.answers(stream(r.s3.host(), c.path+signature))
		got := r.send(c.line+" /tasks/7/resolve/?fileuri=abc", c.headers...)
		if got.StatusCode != c.status || c.size >= 0 && len(got.body) != c.size || got.Header.Get(c.header) != c.value {
			t.Errorf("%s: %d, %d bytes, %s %q; want %d, %d, %q", c.name, got.StatusCode, len(got.body), c.header, got.Header.Get(c.header), c.status, c.size, c.value)
		}
	}
}

func TestS3SeesNothingOfTheBrowsersIdentity(t *testing.T) {
	r := newRig(t)
	r.check.answers(stream(r.s3.host(), "/imaging/x"+signature))
	r.send("GET /tasks/7/resolve/?fileuri=abc",
		"User-Agent: Mozilla/5.0", "Accept: image/*", "Accept-Encoding: gzip", "Range: bytes=0-", `If-None-Match: "e"`,
		"Accept-Language: de", "Cookie: sessionid=secret", "Authorization: Token secret", "X-Api-Key: secret", "X-CSRFToken: secret",
		"Referer: http://label.test/projects/1?q=secret", "Origin: http://label.test", "X-Forwarded-For: 10.0.0.1", "Forwarded: for=10.0.0.1",
		"X-Amz-Date: 20200101T000000Z", "X-Amz-Security-Token: secret", "X-Amz-Content-Sha256: x", "x-amz-acl: public-read", "X-Anything: secret",
		"X-Envoy-Original-Path: /other", "Sec-Fetch-Dest: image", "Sec-Ch-Ua: x", "DNT: 1", "Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"Upgrade-Insecure-Requests: 1", "Via: 1.1 proxy", "X_Api_Key: secret", "Proxy-Authorization: Basic secret")
	seen := r.s3.only(t)
	var names []string
	for name := range seen.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	if want := []string{"Accept", "Accept-Encoding", "If-None-Match", "Range", "User-Agent"}; !slices.Equal(names, want) {
		t.Errorf("S3 saw the headers %v, want %v", names, want)
	}
}

func TestObjectsDoNotSpeakForTheApplication(t *testing.T) {
	r := newRig(t)
	r.s3.responds(func(w http.ResponseWriter, _ *http.Request) {
		for name, value := range map[string]string{
			"Set-Cookie": "sessionid=stolen", "Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin",
			"X-Amz-Meta-Patient": "Doe", "X-Amz-Request-Id": "1", "X-Amz-Id-2": "2", "X-Minio-Deployment-Id": "3", "X-Ratelimit-Limit": "4",
			"Strict-Transport-Security": "max-age=1", "Content-Security-Policy": "default-src *", "X-Content-Type-Options": "none",
			"Clear-Site-Data": `"*"`, "Service-Worker-Allowed": "/", "Link": "</x>; rel=preload", "Refresh": "0; url=//evil", "Server": "MinIO",
			"Location": "https://elsewhere", "Vary": "Origin", "Cache-Control": "public, max-age=31536000", "Report-To": "{}",
		} {
			w.Header().Set(name, value)
		}
		w.Header().Set("ETag", `"e1"`)
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "<script>")
	})
	r.check.answers(stream(r.s3.host(), "/imaging/x"+signature))
	got := r.send("GET /tasks/7/resolve/?fileuri=abc")
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox", "Cache-Control": "private, no-cache",
		"Etag": `"e1"`, "Content-Type": "text/html",
	} {
		if values := got.Header.Values(name); len(values) != 1 || values[0] != want {
			t.Errorf("%s is %q, want %q alone", name, values, want)
		}
		got.Header.Del(name)
	}
	for _, harmless := range []string{"Date", "Content-Length", "Connection"} {
		got.Header.Del(harmless)
	}
	if len(got.Header) != 0 {
		t.Errorf("the browser also got %v", got.Header)
	}
}

// A bucket in another region is answered with a redirect; the browser must
// not be led there, nor learn where that is.
func TestS3RedirectsLeadNowhere(t *testing.T) {
	r := newRig(t)
	r.s3.responds(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "https://imaging.s3.us-east-1.amazonaws.com/lung.png")
		w.Header().Set("X-Amz-Bucket-Region", "us-east-1")
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	r.check.answers(stream(r.s3.host(), "/imaging/lung.png"+signature))
	got := r.send("GET /tasks/7/resolve/?fileuri=abc")
	if got.StatusCode != http.StatusBadGateway || got.Header.Get("Location") != "" || got.Header.Get("X-Amz-Bucket-Region") != "" || len(r.s3.requests()) != 1 {
		t.Errorf("%d %v after %d requests", got.StatusCode, got.Header, len(r.s3.requests()))
	}
}

// T-EXT-02: what was meant for S3 and finds no way there ends in Envoy.
func TestSignedLocationNeverReachesTheApplication(t *testing.T) {
	signed := func(headers ...*core.HeaderValueOption) *auth.CheckResponse {
		return passing(&auth.OkHttpResponse{Headers: headers})
	}
	routed := func(response *auth.CheckResponse, value *structpb.Value) *auth.CheckResponse {
		response.DynamicMetadata = &structpb.Struct{Fields: map[string]*structpb.Value{contract.RouteKey: value}}
		return response
	}
	r := newRig(t)
	path := set(":path", "/imaging/x"+signature)
	for _, c := range []struct {
		name   string
		method string
		answer *auth.CheckResponse
		status int
	}{
		{"no metadata", "GET", signed(path), 421},
		{"no metadata, signature in a header", "GET", signed(set(":path", "/imaging/x"), set("authorization", "AWS4-HMAC-SHA256 Credential=x")), 421},
		{"an endpoint that Envoy does not know", "GET", routed(signed(path), structpb.NewStringValue("s3:elsewhere")), 500},
		{"metadata of another kind", "GET", routed(signed(path), structpb.NewBoolValue(true)), 500},
		{"a write", "PUT", stream(r.s3.host(), "/imaging/x"+signature), 500},
		{"a delete", "DELETE", stream(r.s3.host(), "/imaging/x"+signature), 500},
		{"a post", "POST", stream(r.s3.host(), "/imaging/x"+signature), 500},
		{"a method of WebDAV", "REPORT", stream(r.s3.host(), "/imaging/x"+signature), 500},
	} {
		r.check.answers(c.answer)
		if got := r.send(c.method + " /tasks/7/resolve/?fileuri=abc"); got.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", c.name, got.StatusCode, c.status)
		}
	}
	r.untouched()
}

func TestClientsCannotChooseTheS3Route(t *testing.T) {
	r := newRig(t)
	spoofs := []string{contract.RouteKey, "x-" + contract.RouteKey, "x-rolepass-route", "x-envoy-dynamic-metadata", contract.FilterName}
	var headers []string
	for _, name := range spoofs {
		headers = append(headers, name+": "+contract.S3Route(r.s3.host()))
	}
	if got := r.send("GET /imaging/x", headers...); got.StatusCode != 200 || got.body != "from app" {
		t.Errorf("spoofed headers: %d %q", got.StatusCode, got.body)
	}
	if got := r.send("GET /imaging/x" + signature); got.StatusCode != 421 {
		t.Errorf("a presigned location sent by the client: %d, want 421", got.StatusCode)
	}
	if got := r.raw("GET /imaging/x" + signature + " HTTP/1.1\r\nHost: " + r.s3.host() + "\r\nConnection: close\r\n\r\n"); got.StatusCode != 421 {
		t.Errorf("the S3 server's own host: %d, want 421", got.StatusCode)
	}
	if len(r.s3.requests()) != 0 {
		t.Error("S3 was contacted")
	}
}
