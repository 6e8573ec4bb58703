package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/telemetry"
)

// audits gives what the audit writes of a refusal; audited looks for canaries.
func audits(t *testing.T, class refusal.Class, code refusal.Code, cause error) map[string]any {
	t.Helper()
	e := event(decision.Refuse)
	e.Refusal = refusal.New(class, code, "what to do").Because(cause)
	return audited(t, e)[0]
}

// An error may quote what somebody else wrote. What is left says what failed.
func TestACauseRepeatsNobodysSecrets(t *testing.T) {
	const token = "Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5LWNhbmFyeS1jYW5hcnk"
	for _, c := range []struct {
		cause error
		want  string
	}{
		{&url.Error{Op: "Get", URL: "http://ls.test/a?token=canary", Err: errors.New("refused")}, "Get http://ls.test: refused"},
		{errors.Join(errors.New("first"), &url.Error{Op: "Get", URL: "http://ls.test/a?token=canary", Err: errors.New("refused")}), "first\nGet http://ls.test: refused"},
		{fmt.Errorf("asking: %w", &url.Error{Op: "Get", URL: "http://me:canary@ls.test:81/canary", Err: errors.New("refused")}), "asking: Get http://ls.test:81: refused"},
		{errors.New("GET https://me:canary@s3.test/canary?X-Amz-Signature=canary: 500"), "GET https://s3.test 500"},
		{errors.New("GET /canary?X-Amz-Signature=canary"), "GET …"},
		{errors.New(`failed to parse Location header "/red canary?X-Amz-Signature=canary": bad`), `failed to parse Location header "…": bad`},
		{errors.New(`cut short: "s3://imaging/red canary`), "cut short: s3://imaging"},
		{errors.New(`strconv.Atoi: parsing "can\"canary": invalid syntax`), `strconv.Atoi: parsing "…": invalid syntax`},
		{errors.New("sent Bearer canary-canary"), "sent Bearer …"},
		{errors.New("dial tcp 10.0.0.1:443: connect: connection refused"), "dial tcp 10.0.0.1:443: connect: connection refused"},
	} {
		got := audits(t, refusal.Unavailable, "app_unavailable", c.cause)["cause"]
		if got != c.want {
			t.Errorf("%v\nbecomes %v\nand not  %s", c.cause, got, c.want)
		}
	}
	if got := audits(t, refusal.Unavailable, "x", errors.New("it said "+token))["cause"].(string); strings.Contains(got, token[:40]) {
		t.Errorf("a token is in the cause: %s", got)
	}
	if got := audits(t, refusal.Unavailable, "x", errors.New(strings.Repeat("word ", 1000)))["cause"].(string); len(got) > 600 {
		t.Errorf("the cause has %d bytes", len(got))
	}
}

// The client of the standard library quotes a Location header that it cannot
// read, even where redirects are not followed: it would be a signed location.
func TestAPeersLocationIsNotRepeated(t *testing.T) {
	peer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "https://s3.test/canary%zz?X-Amz-Signature=canary")
		w.WriteHeader(http.StatusSeeOther)
	}))
	defer peer.Close()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	response, err := client.Get(peer.URL)
	if err == nil {
		response.Body.Close()
		t.Fatal("the client takes any Location; this test shows nothing")
	}
	if !strings.Contains(err.Error(), "canary") {
		t.Fatalf("the client no longer quotes it: %v", err)
	}
	if got, _ := audits(t, refusal.Unavailable, "app_unavailable", err)["cause"].(string); !strings.Contains(got, "Location header") {
		t.Errorf("the cause does not say what failed: %q", got)
	}
}

// Where everything answered, the sentence says it all, and the error may quote
// the assertion or what was asked for.
func TestACauseIsForWhatDidNotAnswer(t *testing.T) {
	for _, class := range []refusal.Class{refusal.Forbidden, refusal.Malformed, refusal.Unauthenticated, refusal.TooLarge} {
		if line := audits(t, class, "saml_xml", errors.New("element canary")); line["cause"] != nil || line["sentence"] != "what to do" {
			t.Errorf("class %d: %v", class, line)
		}
	}
	if line := audits(t, refusal.Forbidden, decision.CodeNotSigned, presign.ErrIssuer); line["cause"] != presign.ErrIssuer.Error() {
		t.Errorf("nobody learns why a location was not signed: %v", line)
	}
}

// logged gives one line of the service's log.
func logged(t *testing.T, say func(*slog.Logger)) map[string]any {
	t.Helper()
	var out bytes.Buffer
	say(telemetry.NewLog(&out, slog.LevelInfo))
	_, _ = secrets.Writer("the log").Write(out.Bytes())
	if strings.Contains(out.String(), "canary") {
		t.Errorf("the log shows a secret: %s", out.String())
	}
	line := map[string]any{}
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%q: %v", out.String(), err)
	}
	return line
}

func TestTheLogShowsNoSecretByMistake(t *testing.T) {
	request := httptest.NewRequest("GET", "http://canary/?canary", nil)
	request.Header.Set("Cookie", "canary")
	for _, a := range []slog.Attr{
		slog.String("Authorization", "canary"), slog.String("set-cookie", "canary"), slog.String("SAMLResponse", "canary"),
		slog.String("session_token", "canary"), slog.String("object_key", "canary"), slog.Any("token", []string{"canary"}),
		slog.Group("cookie", "value", "canary"), slog.Group("request", slog.Group("x-api-key", "value", "canary")),
		slog.Any("request", request), slog.Any("headers", request.Header), slog.Any("form", url.Values{"a": {"canary"}}),
		slog.Any("bytes", []byte("canary")), slog.Any("struct", struct{ A string }{"canary"}), slog.Any("map", map[string]string{"a": "canary"}),
		slog.Any("from", &url.URL{Scheme: "https", Host: "idp.test", Path: "/canary", RawQuery: "canary", User: url.UserPassword("a", "canary")}),
		slog.Any("error", &url.Error{Op: "Get", URL: "https://idp.test/canary", Err: errors.New("refused")}),
		slog.String("address", "https://me:canary@idp.test/m?canary"), slog.Any("texts", []string{"/a?canary"}),
		slog.Any("credentials", presign.Credentials{SecretAccessKey: "canary"}), slog.Any("who", event(decision.Pass).Session),
	} {
		logged(t, func(l *slog.Logger) { l.LogAttrs(context.Background(), slog.LevelInfo, "said", a) })
		logged(t, func(l *slog.Logger) {
			l.With("a", 1).WithGroup("g").LogAttrs(context.Background(), slog.LevelWarn, "said", a)
		})
	}
	logged(t, func(l *slog.Logger) { l.Error("GET /a?X-Amz-Signature=canary failed") })
}

// What an operator needs is still there.
func TestTheLogSaysWhatHappened(t *testing.T) {
	line := logged(t, func(l *slog.Logger) {
		l.Warn("not refreshed", "idp", "corp", "user_id", 7, "check", "unix:///run/rolepass/check.sock", "role", "arn:aws:iam::111122223333:role/radiology",
			"error", &url.Error{Op: "Get", URL: "https://idp.test/metadata", Err: errors.New("connection refused")}, "who", event(decision.Pass).Session)
	})
	delete(line, "time")
	want := map[string]any{
		"level": "WARN", "msg": "not refreshed", "idp": "corp", "user_id": 7.0, "check": "unix:///run/rolepass/check.sock",
		"role": "arn:aws:iam::111122223333:role/radiology", "error": "Get https://idp.test: connection refused", "who": "5e5515e5515e",
	}
	if fmt.Sprint(line) != fmt.Sprint(want) {
		t.Errorf("the log says\n%v, want\n%v", line, want)
	}
	var out bytes.Buffer
	telemetry.NewLog(&out, slog.LevelWarn).Info("said")
	if out.Len() != 0 {
		t.Errorf("below its level the log says %s", out.String())
	}
}
