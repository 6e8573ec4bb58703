package samlsts_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/rolepass/rolepass/samlsts"
)

func TestRefusesByRequest(t *testing.T) {
	set := func(key, value string) func(url.Values) { return func(f url.Values) { f.Set(key, value) } }
	for name, c := range map[string]struct {
		edit          func(url.Values)
		status        int
		code, message string
	}{
		"no action":                          {func(f url.Values) { f.Del("Action") }, 400, "MissingAction", ""},
		"another action":                     {set("Action", "AssumeRole"), 400, "InvalidAction", ""},
		"another version":                    {set("Version", "2010-05-08"), 400, "InvalidAction", ""},
		"no role":                            {func(f url.Values) { f.Del("RoleArn") }, 400, "ValidationError", "1 validation error detected: Value null at 'roleArn'"},
		"no provider":                        {func(f url.Values) { f.Del("PrincipalArn") }, 400, "ValidationError", "1 validation error detected: Value null at 'principalArn'"},
		"no assertion":                       {func(f url.Values) { f.Del("SAMLAssertion") }, 400, "ValidationError", "1 validation error detected: Value null at 'sAMLAssertion'"},
		"role too short":                     {set("RoleArn", "arn:aws:iam::1:role"), 400, "ValidationError", "1 validation error detected: Value at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal to 20"},
		"assertion too long":                 {set("SAMLAssertion", strings.Repeat("A", 100_001)), 400, "ValidationError", "1 validation error detected: Value at 'sAMLAssertion' failed to satisfy constraint: Member must have length less than or equal to 100000"},
		"unknown role":                       {set("RoleArn", "arn:aws:iam::111122223333:role/nobody"), 403, accessDenied, notAllowed},
		"role in another case":               {set("RoleArn", "arn:aws:iam::111122223333:role/team/Radiology"), 403, accessDenied, notAllowed},
		"unknown provider":                   {set("PrincipalArn", "arn:aws:iam::111122223333:saml-provider/nobody"), 403, accessDenied, notAllowed},
		"provider of another IdP":            {set("PrincipalArn", other), 400, invalidToken, "Issuer not present in specified provider"},
		"provider of another account":        {set("PrincipalArn", foreign), 403, accessDenied, notAllowed},
		"role that trusts another recipient": {set("RoleArn", research), 403, accessDenied, notAllowed},
		"duration too small":                 {set("DurationSeconds", "899"), 400, "ValidationError", "1 validation error detected: Value at 'durationSeconds'"},
		"duration too large":                 {set("DurationSeconds", "43201"), 400, "ValidationError", "1 validation error detected: Value at 'durationSeconds'"},
		"duration above the role's":          {set("DurationSeconds", "7201"), 400, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."},
		"duration in words":                  {set("DurationSeconds", "+900"), 400, "ValidationError", ""},
		"duration empty":                     {set("DurationSeconds", ""), 400, "ValidationError", ""},
		"managed policies":                   {set("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/ReadOnlyAccess"), 400, "ValidationError", "PolicyArns is not supported"},
		"a misspelt policy":                  {set("policy", narrow), 400, "ValidationError", "The parameter policy is not supported"},
		"a role twice":                       {func(f url.Values) { f.Add("RoleArn", research) }, 400, "ValidationError", ""},
		"a body beyond the bound":            {set("Policy", strings.Repeat("x", 256<<10)), 413, "RequestEntityTooLarge", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			f := form(said().issue(t))
			c.edit(f)
			r.refuses(r.call(f), c.status, c.code, c.message)
		})
	}
}

// Some SDKs write an empty list so.
func TestNoManagedPoliciesIsNotARequestForSome(t *testing.T) {
	r := newRig(t)
	f := form(said().issue(t))
	f.Set("PolicyArns", "")
	r.accepts(r.call(f))
}

// Two providers may hold the same IdP's metadata; a role trusts only its own.
func TestRefusesAProviderThatTheRoleDoesNotTrust(t *testing.T) {
	r, s := newRig(t), said()
	s.attributes[0] = attribute(awsNames+"Role", radiology+","+twin, radiology+","+corp)
	f := form(s.issue(t))
	f.Set("PrincipalArn", twin)
	r.refuses(r.call(f), 403, accessDenied, notAllowed)
	f.Set("PrincipalArn", corp)
	r.accepts(r.call(f))
}

func TestRefusesByShapeOfRequest(t *testing.T) {
	for name, c := range map[string]struct {
		method, target, kind, body string
		status                     int
		code                       string
	}{
		"GET":                {"GET", "/", "", "", 405, "InvalidAction"},
		"GET with the call":  {"GET", "/?Action=AssumeRoleWithSAML", "", "", 404, "InvalidAction"},
		"another path":       {"POST", "/stats", "application/x-www-form-urlencoded", "", 404, "InvalidAction"},
		"JSON":               {"POST", "/", "application/json", "{}", 400, "InvalidAction"},
		"no type":            {"POST", "/", "", "Action=x", 400, "InvalidAction"},
		"a broken form":      {"POST", "/", "application/x-www-form-urlencoded", "Action=%zz", 400, "MalformedQueryString"},
		"semicolons between": {"POST", "/", "application/x-www-form-urlencoded", "Action=a;b", 400, "MalformedQueryString"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			request := httptest.NewRequest(c.method, c.target, strings.NewReader(c.body))
			request.Header.Set("Content-Type", c.kind)
			r.refuses(r.send(request), c.status, c.code, "")
		})
	}
}

func TestRefusesWhenTheStoreDoesNotDoItsPart(t *testing.T) {
	whole := samlsts.Credentials{AccessKeyID: "STORE1", SecretAccessKey: storeSecret, SessionToken: storeToken, Expiration: noon.Add(time.Hour)}
	with := func(edit func(*samlsts.Credentials)) samlsts.Assume {
		given := whole
		edit(&given)
		return func(context.Context, samlsts.Order) (*samlsts.Credentials, error) { return &given, nil }
	}
	for name, c := range map[string]struct {
		assume samlsts.Assume
		status int
		code   string
	}{
		"unreachable": {func(context.Context, samlsts.Order) (*samlsts.Credentials, error) {
			return nil, errors.New("connection refused")
		}, 503, "ServiceUnavailable"},
		"nothing given":         {func(context.Context, samlsts.Order) (*samlsts.Credentials, error) { return nil, nil }, 503, "ServiceUnavailable"},
		"no session token":      {with(func(c *samlsts.Credentials) { c.SessionToken = "" }), 503, "ServiceUnavailable"},
		"no secret":             {with(func(c *samlsts.Credentials) { c.SecretAccessKey = "" }), 503, "ServiceUnavailable"},
		"expired already":       {with(func(c *samlsts.Credentials) { c.Expiration = noon }), 503, "ServiceUnavailable"},
		"longer than asked for": {with(func(c *samlsts.Credentials) { c.Expiration = noon.Add(7 * 24 * time.Hour) }), 503, "ServiceUnavailable"},
		"policy refused": {func(context.Context, samlsts.Order) (*samlsts.Credentials, error) {
			return nil, &samlsts.Error{Code: "MalformedPolicyDocument", Status: 400}
		}, 400, "MalformedPolicyDocument"},
		"a panic": {func(context.Context, samlsts.Order) (*samlsts.Credentials, error) { panic("boom") }, 500, "InternalFailure"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.server.Assume = c.assume
			o := r.call(form(said().issue(t)))
			r.refuses(o, c.status, c.code, "")
			if strings.Contains(o.body, "boom") || strings.Contains(o.body, "connection") || strings.Contains(o.body+r.output.String(), storeSecret) {
				t.Errorf("the answer tells too much: %s", o.body)
			}
			if c.status >= 500 && !strings.Contains(o.body, "<Type>Receiver</Type>") {
				t.Errorf("the caller is blamed: %s", o.body)
			}
		})
	}
}

// With the store of the configuration, where nobody listens.
func TestStoreUnreachable(t *testing.T) {
	cfg := configure(t)
	server, err := samlsts.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	r := serve(t, cfg)
	r.server.Assume = server.Assume
	r.refuses(r.call(form(said().issue(t))), 503, "ServiceUnavailable", "The store behind this endpoint issued no credentials")
}

// Credentials that nobody could account for are not given out.
func TestNoCredentialsWithoutALogLine(t *testing.T) {
	r := newRig(t)
	r.server.Close()
	w := httptest.NewRecorder()
	request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(form(said().issue(t)).Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.server.ServeHTTP(w, request)
	if w.Code != 500 || strings.Contains(w.Body.String(), "STORE1") || !strings.Contains(r.output.String(), "issued_log") {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
}

func TestNoRandomnessIsAnError(t *testing.T) {
	r := newRig(t)
	r.server.Rand = iotest.ErrReader(errors.New("no entropy"))
	r.refuses(r.call(form(said().issue(t))), 500, "InternalFailure", "")
}

func TestNoLogIsAllowed(t *testing.T) {
	cfg := configure(t)
	file := cfg.IssuedLog
	cfg.IssuedLog = ""
	r := serve(t, cfg)
	r.accepts(r.call(form(said().issue(t))))
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Error("a log was written that nobody asked for")
	}
}
