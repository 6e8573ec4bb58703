package samlsts_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/rolepass/rolepass/samlsts"
)

func TestAcceptsWhatIdPsSend(t *testing.T) {
	for name, edit := range map[string]func(*spec){
		"both signed":      func(*spec) {},
		"assertion signed": func(s *spec) { s.sign = "assertion" },
		"response signed":  func(s *spec) { s.sign = "response" },
		"SHA-512":          func(s *spec) { s.method = dsig.RSASHA512SignatureMethod },
		"no Issuer outside": func(s *spec) {
			s.before = func(d *etree.Document) { d.Root().RemoveChild(d.Root().SelectElement("Issuer")) }
		},
		"XML declaration": func(s *spec) {
			s.raw = func(x string) string { return "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n" + x + "\n" }
		},
		"byte order mark":      func(s *spec) { s.raw = func(x string) string { return "\xef\xbb\xbf" + x } },
		"provider before role": func(s *spec) { s.attributes[0] = attribute(awsNames+"Role", corp+", "+radiology) },
		"no NotBefore": func(s *spec) {
			s.conditions = strings.Replace(s.conditions, `NotBefore="2026-03-01T11:59:00.000Z" `, "", 1)
		},
		"IdP ahead by 59 s": func(s *spec) {
			s.issued = noon.Add(59 * time.Second)
			s.conditions = conditions(noon.Add(59*time.Second), noon.Add(5*time.Minute), "urn:amazon:webservices")
		},
		"issued 5 min ago":             func(s *spec) { s.issued = noon.Add(-5 * time.Minute) },
		"a person in another alphabet": func(s *spec) { s.attributes = append(s.attributes, attribute("cn", "Ада &amp; Ĵ")) },
		"an element in a foreign attribute": func(s *spec) {
			s.attributes = append(s.attributes, attribute("urn:oid:1.3.6.1.4.1.5923.1.1.1.10", "<saml:NameID>x</saml:NameID>"))
		},
		"a signature signed anew": func(s *spec) { s.odd = func(*etree.Element) {} },
		"350 roles": func(s *spec) {
			values := make([]string, 350)
			for i := range values {
				values[i] = fmt.Sprintf("arn:aws:iam::%012d:role/radiology-%d,arn:aws:iam::%012d:saml-provider/corp", i, i, i)
			}
			s.sign, s.attributes[0] = "assertion", attribute(awsNames+"Role", append(values, radiology+","+corp)...)
		},
		"Entra's default namespaces": func(s *spec) {
			s.sign, s.unprefixed = "assertion", true
			s.before = func(d *etree.Document) {
				assertion := d.Root().SelectElement("Assertion")
				assertion.RemoveAttr("xmlns:saml")
				assertion.CreateAttr("xmlns", "urn:oasis:names:tc:SAML:2.0:assertion")
				for _, el := range append(assertion.FindElements(".//*"), assertion) {
					el.Space = ""
				}
			}
		},
		"typed values": func(s *spec) {
			s.before = func(d *etree.Document) {
				for _, value := range d.FindElements("//AttributeValue") {
					value.CreateAttr("xmlns:xs", "http://www.w3.org/2001/XMLSchema")
					value.CreateAttr("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance")
					value.CreateAttr("xsi:type", "xs:string")
				}
			}
		},
		"OpenSAML's inclusive namespaces": func(s *spec) {
			s.sign, s.inclusive = "response", "xs"
			s.odd = func(signature *etree.Element) {
				parameter := signature.FindElements(".//Transform")[1].CreateElement("ec:InclusiveNamespaces")
				parameter.CreateAttr("xmlns:ec", "http://www.w3.org/2001/10/xml-exc-c14n#")
				parameter.CreateAttr("PrefixList", "xs")
			}
			s.before = func(d *etree.Document) {
				d.Root().CreateAttr("xmlns:xs", "http://www.w3.org/2001/XMLSchema")
			}
		},
		"namespaces inherited by a signed assertion": func(s *spec) {
			s.sign = "assertion"
			s.after = func(d *etree.Document) { d.Root().SelectElement("Assertion").RemoveAttr("xmlns:saml") }
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, s := newRig(t), said()
			edit(s)
			r.accepts(r.call(form(s.issue(t))))
		})
	}
}

func TestIgnoresKeyInfo(t *testing.T) {
	stranger := must(t, strangerKey)
	for name, edit := range map[string]func(*etree.Element){
		"absent":            func(info *etree.Element) { info.Parent().RemoveChild(info) },
		"another key's":     func(info *etree.Element) { info.FindElement(".//X509Certificate").SetText(encode(stranger.der)) },
		"without any":       func(info *etree.Element) { info.Child = nil },
		"not a certificate": func(info *etree.Element) { info.FindElement(".//X509Certificate").SetText("bm9uZQ==") },
	} {
		t.Run(name, func(t *testing.T) {
			r, s := newRig(t), said()
			s.sign = "assertion"
			s.after = func(d *etree.Document) { edit(d.FindElement("//KeyInfo")) }
			r.accepts(r.call(form(s.issue(t))))
		})
	}
}

func TestRolloverTrustsEveryCertificateOfTheMetadata(t *testing.T) {
	cfg := configure(t)
	if err := os.WriteFile(cfg.Providers[0].Metadata, []byte(metadata(entity, must(t, strangerKey), must(t, idpKey))), 0o600); err != nil {
		t.Fatal(err)
	}
	r := serve(t, cfg)
	r.accepts(r.call(form(said().issue(t))))
}

func TestAnswerSaysWhatSTSSays(t *testing.T) {
	r := newRig(t)
	f := form(said().issue(t))
	f.Set("DurationSeconds", "7200")
	f.Set("Policy", narrow)
	got := r.accepts(r.call(f)).Result
	for what, pair := range map[string][2]string{
		"Arn":           {got.AssumedRoleUser.Arn, "arn:aws:sts::111122223333:assumed-role/radiology/ada@example.com"},
		"Audience":      {got.Audience, acs},
		"Issuer":        {got.Issuer, entity},
		"Subject":       {got.Subject, "4711"},
		"SubjectType":   {got.SubjectType, "persistent"},
		"NameQualifier": {got.NameQualifier, "q9cKCJk6vpTW1u2/xwTUYDemF2k="},
		"Expiration":    {got.Credentials.Expiration, "2026-03-01T14:00:00Z"},
		"Secret":        {got.Credentials.SecretAccessKey, storeSecret},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %q, want %q", what, pair[0], pair[1])
		}
	}
	if !strings.HasPrefix(got.AssumedRoleUser.AssumedRoleId, "AROA") || !strings.HasSuffix(got.AssumedRoleUser.AssumedRoleId, ":ada@example.com") {
		t.Errorf("AssumedRoleId is %q", got.AssumedRoleUser.AssumedRoleId)
	}
	order := r.orders[0]
	if order.Policy != narrow || order.SessionName != "ada@example.com" || order.Role.ARN != radiology || order.Role.Store.AccessKeyID != "role-radiology" || order.Role.Store.SecretAccessKey.Reveal() != userSecret {
		t.Errorf("the store was asked for %+v", order)
	}
}

func TestSubjectTypeIsTheFormat(t *testing.T) {
	const older = "urn:oasis:names:tc:SAML:1.1:nameid-format:"
	for format, want := range map[string]string{
		"":                                    older + "unspecified",
		` Format="` + older + `emailAddress"`: older + "emailAddress",
		` Format="urn:oasis:names:tc:SAML:2.0:nameid-format:transient"`: "transient",
	} {
		r, s := newRig(t), said()
		s.nameID = "<saml:NameID" + format + ">4711</saml:NameID>"
		if got := r.accepts(r.call(form(s.issue(t)))).Result.SubjectType; got != want {
			t.Errorf("SubjectType for %q is %q, want %q", format, got, want)
		}
	}
}

func TestCredentialsEndAtTheShortestBound(t *testing.T) {
	for name, c := range map[string]struct {
		edit  func(*spec)
		asked string
		want  time.Duration
	}{
		"by default an hour":        {func(*spec) {}, "", time.Hour},
		"as asked":                  {func(*spec) {}, "900", 15 * time.Minute},
		"SessionNotOnOrAfter":       {func(s *spec) { s.authn = authn(` SessionNotOnOrAfter="2026-03-01T12:20:00.9Z"`) }, "", 20 * time.Minute},
		"a later one lengthens not": {func(s *spec) { s.authn = authn(` SessionNotOnOrAfter="2026-03-01T20:00:00Z"`) }, "1800", 30 * time.Minute},
		"SessionDuration":           {func(s *spec) { s.attributes = append(s.attributes, attribute(awsNames+"SessionDuration", "1200")) }, "", 20 * time.Minute},
		"a longer SessionDuration":  {func(s *spec) { s.attributes = append(s.attributes, attribute(awsNames+"SessionDuration", "43200")) }, "", time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			r, s := newRig(t), said()
			c.edit(s)
			f := form(s.issue(t))
			if c.asked != "" {
				f.Set("DurationSeconds", c.asked)
			}
			r.accepts(r.call(f))
			if got := r.orders[0].Duration; got != c.want {
				t.Errorf("the store was asked for %s, want %s", got, c.want)
			}
		})
	}
}

// An SDK as people have it, with nothing but its endpoint changed.
func TestUnmodifiedGoSDK(t *testing.T) {
	r := newRig(t)
	endpoint := httptest.NewServer(r.server)
	defer endpoint.Close()
	client := sts.New(sts.Options{Region: "eu-west-1", BaseEndpoint: aws.String(endpoint.URL)})
	in := &sts.AssumeRoleWithSAMLInput{RoleArn: aws.String(radiology), PrincipalArn: aws.String(corp), SAMLAssertion: aws.String(said().issue(t)), DurationSeconds: aws.Int32(900), Policy: aws.String(narrow)}
	out, err := client.AssumeRoleWithSAML(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	//lint:ignore SA1019 AWS still sends it, and the endpoint answers as AWS does
	if aws.ToString(out.Credentials.SecretAccessKey) != storeSecret || !out.Credentials.Expiration.Equal(noon.Add(15*time.Minute)) || aws.ToString(out.Audience) != acs || aws.ToInt32(out.PackedPolicySize) == 0 {
		t.Errorf("the SDK read %+v", out)
	}

	in.RoleArn = aws.String(research)
	_, err = client.AssumeRoleWithSAML(context.Background(), in)
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "AccessDenied" || api.ErrorMessage() != "Not authorized to perform sts:AssumeRoleWithSAML" {
		t.Errorf("the SDK read %v", err)
	}

	late := said()
	late.issued = noon.Add(-time.Hour)
	in.RoleArn, in.SAMLAssertion = aws.String(radiology), aws.String(late.issue(t))
	_, err = client.AssumeRoleWithSAML(context.Background(), in)
	var tooLate *types.ExpiredTokenException
	if !errors.As(err, &tooLate) {
		t.Errorf("the SDK read %v, want its ExpiredTokenException", err)
	}
	in.PolicyArns = []types.PolicyDescriptorType{{Arn: aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess")}}
	if _, err = client.AssumeRoleWithSAML(context.Background(), in); !errors.As(err, &api) || api.ErrorCode() != "ValidationError" || !strings.Contains(api.ErrorMessage(), "PolicyArns") {
		t.Errorf("the SDK read %v", err)
	}
}

func TestLogHoldsNoSecret(t *testing.T) {
	r := newRig(t)
	encoded := said().issue(t)
	f := form(encoded)
	f.Set("Policy", narrow)
	r.accepts(r.call(f))
	if got := r.last(); got.Code != "OK" || got.Role != radiology || got.Provider != corp || got.SessionName != "ada@example.com" || got.AccessKeyID != "STORE1" || got.Narrowed == nil || !*got.Narrowed || !got.Expires.Equal(noon.Add(time.Hour)) {
		t.Errorf("the log says %+v", got)
	}
	r.accepts(r.call(form(encoded)))
	if got := r.last(); got.Narrowed == nil || *got.Narrowed {
		t.Errorf("the log says that a call without a policy was narrowed: %+v", got)
	}
	f.Set("RoleArn", research)
	r.call(f)
	text, err := os.ReadFile(r.log)
	if err != nil {
		t.Fatal(err)
	}
	for _, canary := range []string{storeSecret, userSecret, storeToken, encoded[:40], "s3:GetObject"} {
		if strings.Contains(string(text)+r.output.String(), canary) {
			t.Errorf("%q stands in the log", canary)
		}
	}
	if info, err := os.Stat(r.log); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the log's mode is %v", info.Mode())
	}
	if n := strings.Count(string(text), "\n"); n != 3 {
		t.Errorf("the log has %d lines for 3 calls", n)
	}
}

// Calls do not disturb each other, and each has its whole line in the log.
func TestManyCallsAtOnce(t *testing.T) {
	r := newRig(t)
	r.server.Assume = func(_ context.Context, o samlsts.Order) (*samlsts.Credentials, error) {
		return &samlsts.Credentials{AccessKeyID: "STORE1", SecretAccessKey: storeSecret, SessionToken: storeToken, Expiration: noon.Add(o.Duration)}, nil
	}
	body := form(said().issue(t)).Encode()
	var calls sync.WaitGroup
	for range 20 {
		calls.Go(func() {
			request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			r.server.ServeHTTP(w, request)
			if w.Code != http.StatusOK {
				t.Errorf("answered %d", w.Code)
			}
		})
	}
	calls.Wait()
	text, err := os.ReadFile(r.log)
	if err != nil {
		t.Fatal(err)
	}
	ids := make(map[string]bool)
	for line := range strings.Lines(string(text)) {
		var record samlsts.Record
		if err := json.Unmarshal([]byte(line), &record); err != nil || record.Code != "OK" {
			t.Errorf("the log says %q", line)
		}
		ids[record.RequestID] = true
	}
	if len(ids) != 20 {
		t.Errorf("the log has %d different calls, want 20", len(ids))
	}
}
