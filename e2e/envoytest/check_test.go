package envoytest_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/rolepass/rolepass/envoy/contract"
)

func TestWithoutCheckThereIsNoService(t *testing.T) {
	r := newRig(t, faster)
	for _, c := range []struct {
		name   string
		answer func(context.Context, *auth.CheckRequest) (*auth.CheckResponse, error)
	}{
		{"an error", func(context.Context, *auth.CheckRequest) (*auth.CheckResponse, error) {
			return nil, grpcstatus.Error(codes.Internal, "secret detail")
		}},
		{"unavailable", func(context.Context, *auth.CheckRequest) (*auth.CheckResponse, error) {
			return nil, grpcstatus.Error(codes.Unavailable, "secret detail")
		}},
		{"no answer in time", func(ctx context.Context, _ *auth.CheckRequest) (*auth.CheckResponse, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}},
	} {
		r.check.does(c.answer)
		for _, line := range []string{"GET /projects", "GET /tasks/7/resolve/?fileuri=x", "GET " + acsPath, "POST /api/import"} {
			if got := r.send(line); got.StatusCode != 503 || strings.Contains(got.body, "secret") {
				t.Errorf("%s, %s: %d %q, want 503", c.name, line, got.StatusCode, got.body)
			}
		}
	}
	r.check.stop()
	if got := r.send("GET /projects"); got.StatusCode != 503 {
		t.Errorf("nobody there: %d, want 503", got.StatusCode)
	}
	r.untouched()

	r.check.answers(pass())
	r.check.start()
	began := time.Now()
	if got := r.send("GET /projects"); got.StatusCode != 200 || time.Since(began) > 900*time.Millisecond {
		t.Errorf("right after Rolepass came back: %d in %s, want 200 at once", got.StatusCode, time.Since(began))
	}
}

// A POST of the ACS is one assertion: Check gets it once. Other questions are
// repeated, so that a restart of Rolepass is not an outage.
func TestOnlyTheACSIsNeverRetried(t *testing.T) {
	r := newRig(t)
	r.check.does(func(context.Context, *auth.CheckRequest) (*auth.CheckResponse, error) {
		return nil, grpcstatus.Error(codes.Unavailable, "restarting")
	})
	r.send("GET /projects")
	if n := r.check.count(); n != 3 {
		t.Errorf("a page was asked about %d times, want 3", n)
	}
	r.post(acsPath, "SAMLResponse=x")
	if n := r.check.count() - 3; n != 1 {
		t.Errorf("the ACS was asked about %d times, want 1", n)
	}
}

// What Envoy takes for a yes. Rolepass must never send these by accident.
func TestAnswersThatEnvoyReadsAsYes(t *testing.T) {
	r := newRig(t)
	denied := refuse(typev3.StatusCode_Forbidden, "no")
	denied.Status.Code = 0
	unrouted := pass()
	unrouted.DynamicMetadata = &structpb.Struct{Fields: map[string]*structpb.Value{
		contract.RouteKey: structpb.NewStringValue(contract.S3Route(r.s3.host()))}}
	for name, answer := range map[string]*auth.CheckResponse{
		"an empty CheckResponse":                        {},
		"a refusal with code 0":                         denied,
		"a chosen route without a change of any header": unrouted,
	} {
		r.check.answers(answer)
		if got := r.send("GET /projects"); got.StatusCode != 200 || got.body != "from app" {
			t.Errorf("%s: %d %q; if Envoy no longer takes this for a yes, say so in the documentation", name, got.StatusCode, got.body)
		}
	}
	for name, answer := range map[string]*auth.CheckResponse{
		"a code alone":                 {Status: &status.Status{Code: 7}},
		"an OK response with a code":   {Status: &status.Status{Code: 7}, HttpResponse: pass().HttpResponse},
		"a refusal without a status":   {Status: &status.Status{Code: 7}, HttpResponse: &auth.CheckResponse_DeniedResponse{DeniedResponse: &auth.DeniedHttpResponse{}}},
		"an error response":            {Status: &status.Status{Code: 7}, HttpResponse: &auth.CheckResponse_ErrorResponse{ErrorResponse: &auth.DeniedHttpResponse{}}},
		"an unknown code without more": {Status: &status.Status{Code: 99}},
	} {
		before := len(r.app.requests())
		r.check.answers(answer)
		if got := r.send("GET /projects"); got.StatusCode < 400 || len(r.app.requests()) != before {
			t.Errorf("%s: %d, and the application got %d requests", name, got.StatusCode, len(r.app.requests())-before)
		}
	}
}

func TestPagesOfCheckArriveWhole(t *testing.T) {
	r := newRig(t)
	page := "<!doctype html>" + strings.Repeat("x", contract.MaxPage-15)
	r.check.answers(refuse(200, page, set("content-type", "text/html; charset=utf-8"), set("cache-control", "no-store"),
		add("set-cookie", "a=1; Path=/"), add("set-cookie", "b=2; Path=/")))
	got := r.send("GET /rolepass/")
	if got.StatusCode != 200 || got.body != page || got.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("%d, %d of %d bytes, %s", got.StatusCode, len(got.body), len(page), got.Header.Get("Content-Type"))
	}
	if cookies := got.Header.Values("Set-Cookie"); len(cookies) != 2 {
		t.Errorf("cookies %q, want two", cookies)
	}
	r.check.answers(refuse(303, "", set("location", "https://idp.example/sso?SAMLRequest=x%2By"), set("cache-control", "no-store")))
	if got := r.send("GET /projects"); got.StatusCode != 303 || got.Header.Get("Location") != "https://idp.example/sso?SAMLRequest=x%2By" {
		t.Errorf("%d to %q", got.StatusCode, got.Header.Get("Location"))
	}
	r.untouched()
}

func TestCookiesOfCheckAndApplicationStandSideBySide(t *testing.T) {
	r := newRig(t)
	r.app.responds(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("Set-Cookie", "sessionid=app")
		w.Header().Add("Set-Cookie", "csrftoken=app")
	})
	ok := &auth.OkHttpResponse{}
	ok.ResponseHeadersToAdd = append(ok.ResponseHeadersToAdd, add("set-cookie", "__Host-rolepass=ours"), add("set-cookie", "other=ours"))
	r.check.answers(passing(ok))
	if got := r.send("GET /projects").Header.Values("Set-Cookie"); len(got) != 4 {
		t.Errorf("cookies %q, want four", got)
	}
}

// A change that the contract does not list is a bug of ours, or worse: 500,
// and no upstream sees the request.
func TestCheckChangesOnlyWhatTheContractLists(t *testing.T) {
	r := newRig(t)
	remove := func(name string) *auth.CheckResponse {
		return passing(&auth.OkHttpResponse{HeadersToRemove: []string{name}})
	}
	change := func(name, value string) *auth.CheckResponse {
		ok := &auth.OkHttpResponse{}
		ok.Headers = append(ok.Headers, set(name, value))
		return passing(ok)
	}
	for name, answer := range map[string]*auth.CheckResponse{
		":authority":          change(":authority", "evil.test"),
		"host":                change("host", "evil.test"),
		":method":             change(":method", "DELETE"),
		":scheme":             change(":scheme", "https"),
		"x-forwarded-proto":   change("x-forwarded-proto", "https"),
		"no proto":            remove("x-forwarded-proto"),
		"x-envoy-":            change("x-envoy-retry-on", "5xx"),
		"any other":           change("x-user", "admin"),
		"prefix of a name":    change("cookie2", "a"),
		"suffix of a name":    change("x-cookie", "a"),
		"dot is not any byte": change("x_api_key", "a"),
		"line feed":           change("authorization", "a\nb: c"),
		"carriage return":     change(":path", "/a\r\nb"),
		"NUL":                 change("cookie", "a\x00b"),
	} {
		r.check.answers(answer)
		if got := r.send("GET /projects"); got.StatusCode != 500 {
			t.Errorf("%s: %d, want 500", name, got.StatusCode)
		}
	}
	r.untouched()

	for _, name := range contract.MutableHeaders() {
		r.check.answers(change(name, "/x"))
		if got := r.send("GET /projects"); got.StatusCode != 200 {
			t.Errorf("setting %s: %d, want 200", name, got.StatusCode)
		}
		if strings.HasPrefix(name, ":") {
			continue
		}
		r.check.answers(remove(name))
		if got := r.send("GET /projects"); got.StatusCode != 200 {
			t.Errorf("removing %s: %d, want 200", name, got.StatusCode)
		}
	}
}

// T-HDR-01, T-HDR-02, T-HDR-07: a chosen credential replaces every copy that a
// client sent, and no Connection header takes it away.
func TestCheckSetsTheOnlyCredential(t *testing.T) {
	for _, keep := range []bool{false, true} {
		r := newRig(t, func(r *rig) { r.settings.KeepCredentials = keep })
		ok := &auth.OkHttpResponse{HeadersToRemove: []string{"x-api-key"}}
		ok.Headers = append(ok.Headers, set("authorization", "Bearer ours"), set("cookie", "csrftoken=c"))
		r.check.answers(passing(ok))
		r.send("GET /projects", "Authorization: Token a", "authorization: Token b", "AUTHORIZATION: c", "Cookie: sessionid=a", "Cookie: sessionid=b",
			"X-Api-Key: a", "x-api-key: b", "X_Api_Key: c", "Connection: authorization, cookie, x-api-key")
		seen := r.app.only(t)
		for name, want := range map[string]string{"Authorization": "Bearer ours", "Cookie": "csrftoken=c", "X-Api-Key": "", "X_api_key": ""} {
			if got := strings.Join(seen.Header.Values(name), " and "); got != want {
				t.Errorf("keep %v: the application saw %s %q, want %q", keep, name, got, want)
			}
		}
	}
}

// Where the application stands below a path, Check takes the path off: what it
// sets is what the application gets, byte for byte.
func TestTheApplicationGetsThePathThatCheckSets(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{"/", "/projects/?a=b%2Fc", "//a/../b", "/%74asks/7"} {
		ok := &auth.OkHttpResponse{}
		ok.Headers = append(ok.Headers, set("authorization", "Bearer ours"), set(":path", path))
		r.check.answers(passing(ok))
		before := len(r.app.requests())
		got := r.send("GET /label" + path)
		if seen := uris(r.app.requests()[before:]); got.StatusCode != 200 || len(seen) != 1 || seen[0] != "GET "+path {
			t.Errorf("%s: %d, the application got %v", path, got.StatusCode, seen)
		}
	}
}

// A decision that has to ask somebody takes seconds. Envoy cuts a try of Check
// off after the longest back-off of its retry policy, so that must not be
// shorter than its timeout.
func TestASlowCheckIsWaitedFor(t *testing.T) {
	r := newRig(t)
	r.check.does(slowly)
	if got := r.send("GET /projects"); got.StatusCode != 200 || r.check.count() != 1 {
		t.Errorf("%d after %d calls of Check; want 200 after one", got.StatusCode, r.check.count())
	}
}

// slowly says yes after asking somebody.
func slowly(ctx context.Context, _ *auth.CheckRequest) (*auth.CheckResponse, error) {
	asking := time.NewTimer(1500 * time.Millisecond)
	defer asking.Stop()
	select {
	case <-asking.C:
		return pass(), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
