package credcache_test

import (
	"html"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rolepass/rolepass/credcache"
)

// answering is an HTTP client that gives every request one answer.
type answering struct {
	status int
	body   string
}

func (a answering) Do(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(strings.NewReader(a.body))}, nil
}

const rightAnswer = `<AssumeRoleWithSAMLResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithSAMLResult>` +
	`<Issuer>https://idp.test</Issuer><Subject>4711</Subject><Audience>https://label.test/acs</Audience>` +
	`<AssumedRoleUser><Arn>arn:aws-cn:sts::111122223333:assumed-role/radiology/ada</Arn><AssumedRoleId>A:ada</AssumedRoleId></AssumedRoleUser>` +
	`<Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2027-01-15T09:00:00Z</Expiration></Credentials>` +
	`</AssumeRoleWithSAMLResult></AssumeRoleWithSAMLResponse>`

// What is between the text of an XML document.
var (
	cdata  = regexp.MustCompile(`(?s)<!\[CDATA\[(.*?)\]\]>`)
	markup = regexp.MustCompile(`(?s)<!--.*?-->|<[^>]*>`)
)

// FuzzAnswer lets STS answer anything, through AWS's own client: credentials
// come of it only if it says of whom, from whom and to whom the assertion was,
// as we read it.
func FuzzAnswer(f *testing.F) {
	f.Add(200, rightAnswer)
	f.Add(200, strings.Replace(rightAnswer, ">4711<", ">admin<", 1))
	f.Add(200, strings.Replace(rightAnswer, "<Subject>4711</Subject>", "<Subject>admin</Subject><Subject>4711</Subject>", 1))
	f.Add(200, strings.Replace(rightAnswer, "radiology/ada", "admin/ada", 1))
	f.Add(200, "")
	f.Add(403, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>`)
	o := order()
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		client := sts.New(sts.Options{Region: "eu-west-1", HTTPClient: answering{status, body}, Retryer: aws.NopRetryer{}})
		e := &credcache.Exchanger{Name: "aws", STS: client, Duration: time.Hour, Called: func(string) {}}
		got, err := e.Exchange(t.Context(), o)
		if err != nil {
			if got != nil || strings.Contains(err.Error(), o.Encoded) {
				t.Fatalf("%v, %v", got, err)
			}
			return
		}
		if status/100 != 2 || got.AccessKeyID == "" || got.STS != "aws" {
			t.Fatalf("credentials %v out of %d %q", got, status, body)
		}
		text := html.UnescapeString(markup.ReplaceAllString(cdata.ReplaceAllString(body, "$1"), ""))
		for _, said := range []string{o.Assertion.Principal.NameID, o.Assertion.Issuer, o.Assertion.Recipient, ":assumed-role/"} {
			if !strings.Contains(text, said) {
				t.Fatalf("credentials although %q is not said in %q", said, body)
			}
		}
	})
}
