package s3guard_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/e2e/s3guard"
)

// noon is when all requests of these tests arrive.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

const scope = "AKIDEXAMPLE/20261124/eu-west-1/s3/aws4_request"

// rig is a guard before a store that notes what reaches it.
type rig struct {
	t     *testing.T
	guard *httptest.Server
	log   string
	seen  []*http.Request
}

func newRig(t *testing.T, store http.HandlerFunc) *rig {
	t.Helper()
	r := &rig{t: t, log: filepath.Join(t.TempDir(), "requests.jsonl")}
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		r.seen = append(r.seen, request)
		store(w, request)
	}))
	t.Cleanup(behind.Close)
	address, err := url.Parse(behind.URL)
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(r.log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	guard, err := s3guard.New(s3guard.Options{Store: address, Region: "eu-west-1", Log: log, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	r.guard = httptest.NewServer(guard)
	t.Cleanup(r.guard.Close)
	return r
}

func content(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "content") }

// location is a presigned path and query, with the changes of a test: a value
// in place of another, or "" to leave the parameter out.
func location(path string, changes ...string) string {
	query := url.Values{
		"X-Amz-Algorithm": {"AWS4-HMAC-SHA256"}, "X-Amz-Credential": {scope}, "X-Amz-Date": {"20261124T115900Z"},
		"X-Amz-Expires": {"300"}, "X-Amz-SignedHeaders": {"host"}, "X-Amz-Signature": {strings.Repeat("0", 64)}, "X-Amz-Security-Token": {"token"},
	}
	for i := 0; i < len(changes); i += 2 {
		query.Set(changes[i], changes[i+1])
		if changes[i+1] == "" {
			query.Del(changes[i])
		}
	}
	return path + "?" + query.Encode()
}

// request is one for the guard; target is a path with its query.
func (r *rig) request(method, target string, header http.Header) *http.Request {
	r.t.Helper()
	request, err := http.NewRequest(method, r.guard.URL, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	path, query, _ := strings.Cut(target, "?")
	request.URL.Opaque, request.URL.RawQuery = path, query
	if header != nil {
		request.Header = header
	}
	return request
}

func (r *rig) do(request *http.Request) (*http.Response, string) {
	r.t.Helper()
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer, string(body)
}

// last is the newest record, as soon as the answer has come.
func (r *rig) last() s3guard.Record {
	r.t.Helper()
	records, err := s3guard.ReadLog(r.log)
	if err != nil || len(records) == 0 {
		r.t.Fatalf("%d records, %v", len(records), err)
	}
	return records[len(records)-1]
}

// signed is the header of a request that is signed in its header.
func signed(changes ...string) http.Header {
	h := http.Header{
		"Authorization":        {"AWS4-HMAC-SHA256 Credential=" + scope + ", SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=00"},
		"X-Amz-Date":           {"20261124T115900Z"},
		"X-Amz-Content-Sha256": {"UNSIGNED-PAYLOAD"},
	}
	for i := 0; i < len(changes); i += 2 {
		h.Set(changes[i], changes[i+1])
		if changes[i+1] == "" {
			h.Del(changes[i])
		}
	}
	return h
}

const object = "/imaging/radiology/1.png"

func TestRefusesWhatAWSRefuses(t *testing.T) {
	authorization := func(credential, headers string) string {
		return "AWS4-HMAC-SHA256 Credential=" + credential + ", SignedHeaders=" + headers + ", Signature=00"
	}
	for name, c := range map[string]struct {
		method string
		target string
		header http.Header
		code   string
		status int
	}{
		"Authorization beside a presigned query":        {target: location(object), header: http.Header{"Authorization": {"Bearer x"}}, code: "InvalidArgument", status: 400},
		"both signatures":                               {target: location(object), header: signed(), code: "InvalidArgument", status: 400},
		"Authorization beside one parameter of a query": {target: object + "?X-Amz-Signature=00", header: signed(), code: "InvalidArgument", status: 400},
		"Authorization twice":                           {target: object, header: http.Header{"Authorization": {"Bearer a", "Bearer b"}}, code: "InvalidArgument", status: 400},
		"a bearer":                                      {target: object, header: http.Header{"Authorization": {"Bearer x"}}, code: "InvalidRequest", status: 400},
		"signature version 2":                           {target: object + "?AWSAccessKeyId=a&Signature=b&Expires=1", code: "InvalidRequest", status: 400},
		"signature version 2 in the header":             {target: object, header: http.Header{"Authorization": {"AWS a:b"}}, code: "InvalidRequest", status: 400},

		"from the future":         {target: location(object, "X-Amz-Date", "20261124T121501Z"), code: "AccessDenied", status: 403},
		"expired":                 {target: location(object, "X-Amz-Date", "20261124T115459Z"), code: "AccessDenied", status: 403},
		"not a date":              {target: location(object, "X-Amz-Date", "2026-11-24T11:59:00Z"), code: "AuthorizationQueryParametersError", status: 400},
		"another day's scope":     {target: location(object, "X-Amz-Date", "20261123T235900Z", "X-Amz-Expires", "86400"), code: "AuthorizationQueryParametersError", status: 400},
		"for no time":             {target: location(object, "X-Amz-Expires", "0"), code: "AuthorizationQueryParametersError", status: 400},
		"for less than no time":   {target: location(object, "X-Amz-Expires", "-1"), code: "AuthorizationQueryParametersError", status: 400},
		"for more than a week":    {target: location(object, "X-Amz-Expires", "604801"), code: "AuthorizationQueryParametersError", status: 400},
		"for a word":              {target: location(object, "X-Amz-Expires", "long"), code: "AuthorizationQueryParametersError", status: 400},
		"no expiry":               {target: location(object, "X-Amz-Expires", ""), code: "AuthorizationQueryParametersError", status: 400},
		"no signed headers":       {target: location(object, "X-Amz-SignedHeaders", ""), code: "AuthorizationQueryParametersError", status: 400},
		"only a signature":        {target: object + "?X-Amz-Signature=00", code: "AuthorizationQueryParametersError", status: 400},
		"another algorithm":       {target: location(object, "X-Amz-Algorithm", "AWS4-HMAC-SHA1"), code: "AuthorizationQueryParametersError", status: 400},
		"an expiry twice":         {target: location(object) + "&X-Amz-Expires=604800", code: "AuthorizationQueryParametersError", status: 400},
		"a date twice":            {target: location(object) + "&X-Amz-Date=20261124T115900Z", code: "AuthorizationQueryParametersError", status: 400},
		"a session token twice":   {target: location(object) + "&X-Amz-Security-Token=other", code: "AuthorizationQueryParametersError", status: 400},
		"an empty session token":  {target: location(object) + "&X-Amz-Security-Token=", code: "AuthorizationQueryParametersError", status: 400},
		"another region":          {target: location(object, "X-Amz-Credential", "AKID/20261124/us-east-1/s3/aws4_request"), code: "AuthorizationQueryParametersError", status: 400},
		"another service":         {target: location(object, "X-Amz-Credential", "AKID/20261124/eu-west-1/sts/aws4_request"), code: "AuthorizationQueryParametersError", status: 400},
		"another scheme of scope": {target: location(object, "X-Amz-Credential", "AKID/20261124/eu-west-1/s3/aws5_request"), code: "AuthorizationQueryParametersError", status: 400},
		"half a scope":            {target: location(object, "X-Amz-Credential", "AKID/20261124"), code: "AuthorizationQueryParametersError", status: 400},
		"a scope of nobody":       {target: location(object, "X-Amz-Credential", "/20261124/eu-west-1/s3/aws4_request"), code: "AuthorizationQueryParametersError", status: 400},

		"an unsigned x-amz- header beside a query": {target: location(object), header: http.Header{"X-Amz-Meta-Owner": {"me"}}, code: "AccessDenied", status: 403},
		"an unsigned session token in a header":    {target: object, header: signed("X-Amz-Security-Token", "token"), code: "AccessDenied", status: 403},
		"an unsigned Host in a query":              {target: location(object, "X-Amz-SignedHeaders", "range"), code: "AccessDenied", status: 403},
		"an unsigned Host":                         {target: object, header: signed("Authorization", authorization(scope, "x-amz-content-sha256;x-amz-date")), code: "AccessDenied", status: 403},
		"a clock that is ahead":                    {target: object, header: signed("X-Amz-Date", "20261124T121501Z"), code: "RequestTimeTooSkewed", status: 403},
		"a clock that is behind":                   {target: object, header: signed("X-Amz-Date", "20261124T114459Z"), code: "RequestTimeTooSkewed", status: 403},
		"no hash of the content":                   {target: object, header: signed("X-Amz-Content-Sha256", ""), code: "InvalidRequest", status: 400},
		"another region in the header":             {target: object, header: signed("Authorization", authorization("AKID/20261124/us-east-1/s3/aws4_request", "host;x-amz-content-sha256;x-amz-date")), code: "AuthorizationHeaderMalformed", status: 400},

		"a key of 1025 bytes":            {target: location("/imaging/" + strings.Repeat("k", 1025)), code: "KeyTooLongError", status: 400},
		"a key that is not UTF-8":        {target: location("/imaging/%ff"), code: "InvalidURI", status: 400},
		"no bucket":                      {target: location("//radiology/1.png"), code: "InvalidURI", status: 400},
		"a bucket in escapes":            {target: location("/%6dinio/admin/v3/info"), code: "InvalidURI", status: 400},
		"a query that nobody can read":   {target: location(object) + "&a;b", code: "InvalidURI", status: 400},
		"the store's own pages":          {target: "/minio/health/ready", code: "AccessDenied", status: 403},
		"the store's own token service":  {method: http.MethodPost, target: "/?Action=AssumeRole", code: "MethodNotAllowed", status: 405},
		"a method that S3 does not have": {method: http.MethodPatch, target: location(object), code: "MethodNotAllowed", status: 405},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, content)
			answer, body := r.do(r.request(c.method, c.target, c.header))
			if answer.StatusCode != c.status || !strings.Contains(body, "<Error><Code>"+c.code+"</Code><Message>") {
				t.Errorf("answered %d %s, want %d %s", answer.StatusCode, body, c.status, c.code)
			}
			if len(r.seen) != 0 {
				t.Error("the store was asked")
			}
			if got := r.last(); got.Status != c.status || got.Refused != c.code || got.Bytes != int64(len(body)) {
				t.Errorf("the log has %+v", got)
			}
		})
	}
}

// What stands at the very edge of what AWS accepts passes.
func TestPassesWhatAWSAccepts(t *testing.T) {
	for name, c := range map[string]struct {
		target string
		header http.Header
		auth   string
	}{
		"presigned":                   {location(object), nil, "query"},
		"with permanent credentials":  {location(object, "X-Amz-Security-Token", ""), nil, "query"},
		"15 minutes ahead":            {location(object, "X-Amz-Date", "20261124T121500Z"), nil, "query"},
		"in its last second":          {location(object, "X-Amz-Date", "20261124T115500Z"), nil, "query"},
		"for a week":                  {location(object, "X-Amz-Expires", "604800"), nil, "query"},
		"with a signed x-amz- header": {location(object, "X-Amz-SignedHeaders", "host;x-amz-meta-owner"), http.Header{"X-Amz-Meta-Owner": {"me"}}, "query"},
		"with a header hoisted":       {location(object, "x-id", "GetObject", "response-content-type", "image/png"), nil, "query"},
		"signed in the header":        {object, signed(), "header"},
		"a clock 15 minutes ahead":    {object, signed("X-Amz-Date", "20261124T121500Z"), "header"},
		"a clock 15 minutes behind":   {object, signed("X-Amz-Date", "20261124T114500Z"), "header"},
		"nobody":                      {object, nil, "none"},
		"a key of 1024 bytes":         {location("/imaging/" + strings.Repeat("k", 1024)), nil, "query"},
		"a listing":                   {"/imaging?list-type=2&prefix=radiology%2F", signed(), "header"},
		"the buckets":                 {"/", signed(), "header"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, content)
			answer, body := r.do(r.request(http.MethodGet, c.target, c.header))
			if answer.StatusCode != 200 || body != "content" || len(r.seen) != 1 {
				t.Fatalf("answered %d %s; the store was asked %d times", answer.StatusCode, body, len(r.seen))
			}
			if got := r.last(); got.Auth != c.auth || got.Status != 200 || got.Bytes != 7 || got.Refused != "" {
				t.Errorf("the log has %+v", got)
			}
		})
	}
}

// A signature covers path, query, Host and any header: none may change.
func TestPassesOnByteForByte(t *testing.T) {
	r := newRig(t, content)
	for _, path := range []string{
		"/imaging/radiology/red%20lung%2B1.png", "/imaging/radiology/red+lung.png", "/imaging/a//b", "/imaging/./a/../b",
		"/imaging/Gr%C3%B6%C3%9Fe.png", "/imaging/gr%c3%b6%c3%9fe.png", "/imaging/a%2Fb", "/imaging/~a'(b)*!$&,;=:@", "/imaging/%41", "/imaging/", "/imaging",
	} {
		target := location(path) + "&empty&also=&a=1&a=%41+b"
		request := r.request(http.MethodGet, target, http.Header{
			"Cookie": {"a=b"}, "X-Forwarded-For": {"192.0.2.1"}, "Range": {"bytes=0-1"}, "If-None-Match": {`"etag"`}, "Accept-Encoding": {"br"},
		})
		request.Host = "s3.example.test:9000"
		if answer, body := r.do(request); answer.StatusCode != 200 {
			t.Fatalf("%s: %d %s", path, answer.StatusCode, body)
		}
		got := r.seen[len(r.seen)-1]
		if got.RequestURI != target || got.Host != "s3.example.test:9000" {
			t.Errorf("%s arrived as %s at %s", target, got.RequestURI, got.Host)
		}
		for name, value := range request.Header {
			if !slices.Equal(got.Header[name], value) {
				t.Errorf("%s arrived as %q", name, got.Header[name])
			}
		}
		record := r.last()
		if record.Path != path || record.Host != "s3.example.test:9000" || !record.Carried("Cookie") || !record.Carried("x-forwarded-for") || record.Carried("authorization") {
			t.Errorf("the log has %+v", record)
		}
	}
}

func TestTheRecordSaysWhoAndWhat(t *testing.T) {
	r := newRig(t, content)
	r.do(r.request(http.MethodGet, location("/imaging/radiology/red%20lung%2B1.png"), http.Header{"Cookie": {"secret-cookie"}}))
	got := r.last()
	if got.Method != "GET" || !got.Time.Equal(noon) || got.Bucket != "imaging" || got.Key != "radiology/red lung+1.png" || got.AccessKeyID != "AKIDEXAMPLE" || !slices.Contains(got.Query, "X-Amz-Signature") {
		t.Errorf("the log has %+v", got)
	}
	text, err := os.ReadFile(r.log)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"secret-cookie", strings.Repeat("0", 64), `"token"`} {
		if strings.Contains(string(text), secret) {
			t.Errorf("%s stands in the log", secret)
		}
	}
}

// The first half of an answer is there before the second is written.
func TestStreams(t *testing.T) {
	release := make(chan struct{})
	r := newRig(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		io.WriteString(w, "first")
		w.(http.Flusher).Flush()
		<-release
		io.WriteString(w, "later")
	})
	answer, err := http.DefaultClient.Do(r.request(http.MethodGet, location(object), nil))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	first := make([]byte, 5)
	if _, err := io.ReadFull(answer.Body, first); err != nil || string(first) != "first" {
		t.Fatalf("read %q, %v", first, err)
	}
	if got := r.last(); got.Bytes != 10 {
		t.Errorf("the log has %+v", got)
	}
	close(release)
	if rest, err := io.ReadAll(answer.Body); err != nil || string(rest) != "later" {
		t.Errorf("read %q, %v", rest, err)
	}
}

func TestAnswersForAStoreThatIsGone(t *testing.T) {
	r := newRig(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	answer, body := r.do(r.request(http.MethodGet, location(object), nil))
	if answer.StatusCode != 503 || !strings.Contains(body, "ServiceUnavailable") || r.last().Status != 503 {
		t.Errorf("answered %d %s, logged %+v", answer.StatusCode, body, r.last())
	}
}

func TestARefusalOfHEADHasNoBody(t *testing.T) {
	r := newRig(t, content)
	answer, body := r.do(r.request(http.MethodHead, location(object, "X-Amz-Expires", "0"), nil))
	if answer.StatusCode != 400 || body != "" || r.last().Bytes != 0 {
		t.Errorf("answered %d %q, logged %+v", answer.StatusCode, body, r.last())
	}
}

func TestNewWantsAStoreAndARegion(t *testing.T) {
	for name, options := range map[string]s3guard.Options{
		"nothing":         {},
		"no region":       {Store: &url.URL{Scheme: "http", Host: "127.0.0.1:1"}},
		"no host":         {Store: &url.URL{Scheme: "http"}, Region: "eu-west-1"},
		"nothing to call": {Region: "eu-west-1"},
	} {
		if _, err := s3guard.New(options); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// A reader never takes half a line for a record.
func TestReadLogLeavesOutAnUnfinishedLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(file, []byte(`{"method":"GET","status":200}`+"\n"+`{"method":"HE`), 0o600); err != nil {
		t.Fatal(err)
	}
	if records, err := s3guard.ReadLog(file); err != nil || len(records) != 1 || records[0].Method != "GET" {
		t.Errorf("read %+v, %v", records, err)
	}
	if err := os.WriteFile(file, []byte("GET /\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s3guard.ReadLog(file); err == nil {
		t.Error("took a line that is no record")
	}
}
