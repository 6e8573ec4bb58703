package samlsts_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/samlsts"
)

const (
	storeSecret = "canary-store-secret"
	userSecret  = "canary-user-secret"
	storeToken  = "canary-session-token"
)

// rig is a server with a store that remembers what it was asked for.
type rig struct {
	t      testing.TB
	server *samlsts.Server
	orders []samlsts.Order
	log    string
	output bytes.Buffer
}

// configure gives a right configuration, in a folder of its own.
func configure(t testing.TB) *samlsts.Config {
	t.Helper()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	idp, stranger := must(t, idpKey), must(t, strangerKey)
	own := file("corp.xml", metadata(entity, idp))
	user := samlsts.ServiceUser{AccessKeyID: "role-radiology", SecretAccessKeyFile: file("secret", userSecret+"\n")}
	return &samlsts.Config{
		Listen: "127.0.0.1:0",
		Store:  samlsts.Store{Endpoint: "http://127.0.0.1:1"},
		Providers: []samlsts.Provider{
			{ARN: corp, Metadata: own},
			{ARN: other, Metadata: file("other.xml", metadata("https://other.example.com", stranger))},
			{ARN: foreign, Metadata: own},
			{ARN: twin, Metadata: own},
		},
		Roles: []samlsts.Role{
			{ARN: radiology, MaxSessionDuration: 2 * time.Hour, Trust: samlsts.Trust{Provider: corp, SAMLAud: []string{acs}}, Store: user},
			{ARN: research, Trust: samlsts.Trust{Provider: corp, SAMLAud: []string{"https://elsewhere.example.com/acs"}}, Store: user},
		},
		IssuedLog: filepath.Join(dir, "issued.jsonl"),
	}
}

func newRig(t *testing.T) *rig {
	t.Helper()
	return serve(t, configure(t))
}

func serve(t testing.TB, cfg *samlsts.Config) *rig {
	t.Helper()
	server, err := samlsts.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	r := &rig{t: t, server: server, log: cfg.IssuedLog}
	server.Now = func() time.Time { return noon }
	server.Log = slog.New(slog.NewTextHandler(&r.output, nil))
	r.searched()
	server.Assume = func(_ context.Context, o samlsts.Order) (*samlsts.Credentials, error) {
		r.orders = append(r.orders, o)
		return &samlsts.Credentials{AccessKeyID: "STORE1", SecretAccessKey: storeSecret, SessionToken: storeToken, Expiration: noon.Add(o.Duration)}, nil
	}
	return r
}

// form is a right call with this response.
func form(encoded string) url.Values {
	return url.Values{"Action": {"AssumeRoleWithSAML"}, "Version": {"2011-06-15"}, "RoleArn": {radiology}, "PrincipalArn": {corp}, "SAMLAssertion": {encoded}}
}

// outcome is an answer, whichever of the two kinds it is.
type outcome struct {
	status  int
	body    string
	XMLName xml.Name
	Error   struct{ Type, Code, Message string }
	Result  struct {
		Credentials                                                             struct{ AccessKeyId, SecretAccessKey, SessionToken, Expiration string }
		AssumedRoleUser                                                         struct{ Arn, AssumedRoleId string }
		Audience, Issuer, NameQualifier, Subject, SubjectType, PackedPolicySize string
	} `xml:"AssumeRoleWithSAMLResult"`
	RequestID string                     `xml:"RequestId"`
	Metadata  struct{ RequestId string } `xml:"ResponseMetadata"`
}

func (r *rig) send(request *http.Request) outcome {
	r.t.Helper()
	w := httptest.NewRecorder()
	r.server.ServeHTTP(w, request)
	o := outcome{status: w.Code, body: w.Body.String()}
	if err := xml.Unmarshal(w.Body.Bytes(), &o); err != nil {
		r.t.Fatalf("the answer is not XML: %v\n%s", err, w.Body)
	}
	if o.XMLName.Space != "https://sts.amazonaws.com/doc/2011-06-15/" || o.RequestID+o.Metadata.RequestId != w.Header().Get("X-Amzn-RequestId") {
		r.t.Errorf("the answer is not shaped like AWS's: %s", w.Body)
	}
	return o
}

func (r *rig) call(f url.Values) outcome {
	r.t.Helper()
	secrets.KeepResponse(f.Get("SAMLAssertion"))
	request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(f.Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return r.send(request)
}

// accepts asserts that credentials were given out, and returns the answer.
func (r *rig) accepts(o outcome) outcome {
	r.t.Helper()
	if o.status != http.StatusOK || o.Result.Credentials.AccessKeyId != "STORE1" || o.Result.Credentials.SessionToken != storeToken {
		r.t.Fatalf("refused: %d %s: %s (%s)", o.status, o.Error.Code, o.Error.Message, r.last().Why)
	}
	return o
}

// refuses asserts the code and the beginning of the message, and that nothing
// was asked of the store.
func (r *rig) refuses(o outcome, status int, code, message string) {
	r.t.Helper()
	if o.status != status || o.Error.Code != code || !strings.HasPrefix(o.Error.Message, message) {
		r.t.Errorf("answered %d %s %q (%s), want %d %s %q", o.status, o.Error.Code, o.Error.Message, r.last().Why, status, code, message)
	}
	r.t.Logf("%s: %s (%s)", o.Error.Code, o.Error.Message, r.last().Why)
	if o.Result.Credentials.AccessKeyId != "" || len(r.orders) > 0 {
		r.t.Error("refused, and yet the store was asked")
	}
	if last := r.last(); last.Code != code || last.AccessKeyID != "" {
		r.t.Errorf("the log says %+v, want the code %s", last, code)
	}
}

// last is the last line of the log.
func (r *rig) last() samlsts.Record {
	r.t.Helper()
	text, err := os.ReadFile(r.log)
	if err != nil {
		r.t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	var record samlsts.Record
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &record); err != nil {
		r.t.Fatalf("reading the log: %v", err)
	}
	return record
}
