package ststest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"github.com/rolepass/rolepass/saml/samltest"
)

const (
	lung   = "radiology/red lung+1.png"
	slice  = "radiology/ct/Größe.png"
	sample = "research/1.png"
)

// spec is what the IdP says about a person with every role of the test.
func spec() samltest.Spec {
	return samltest.Spec{ACS: acs, SessionName: "ada@example.com", Roles: []string{radiology + "," + corp, research + "," + corp, mistyped + "," + corp}}
}

func (r *rig) assume(role, sessionPolicy string, s samltest.Spec) (*sts.AssumeRoleWithSAMLOutput, error) {
	client := sts.New(sts.Options{Region: "us-east-1", BaseEndpoint: aws.String(r.samlsts), RetryMaxAttempts: 1})
	in := &sts.AssumeRoleWithSAMLInput{RoleArn: aws.String(role), PrincipalArn: aws.String(corp), SAMLAssertion: aws.String(r.idp.Response(s)), DurationSeconds: aws.Int32(900)}
	if sessionPolicy != "" {
		in.Policy = aws.String(sessionPolicy)
	}
	return client.AssumeRoleWithSAML(context.Background(), in)
}

// credentials are those of a role, narrowed by a policy unless it is empty.
func (r *rig) credentials(role, sessionPolicy string) *types.Credentials {
	r.t.Helper()
	out, err := r.assume(role, sessionPolicy, spec())
	if err != nil {
		r.t.Fatal(err)
	}
	return out.Credentials
}

// presigned asks the store as a browser would: with a signed address only.
func (r *rig) presigned(c *types.Credentials, method, key string) (int, string) {
	r.t.Helper()
	presigner := s3.NewPresignClient(r.s3(aws.ToString(c.AccessKeyId), aws.ToString(c.SecretAccessKey), aws.ToString(c.SessionToken)))
	get, err := presigner.PresignGetObject(context.Background(), &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)})
	address := ""
	if err == nil {
		address = get.URL
	}
	if method == http.MethodPut {
		put, failed := presigner.PresignPutObject(context.Background(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)})
		if err = failed; err == nil {
			address = put.URL
		}
	}
	if err != nil {
		r.t.Fatal(err)
	}
	request, err := http.NewRequest(method, address, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

func (r *rig) reads(c *types.Credentials, key string) {
	r.t.Helper()
	if status, body := r.presigned(c, http.MethodGet, key); status != 200 || body != objects[key] {
		r.t.Errorf("GET %s: %d %.300s, want its content", key, status, body)
	}
}

func (r *rig) mayNot(c *types.Credentials, method, key string) {
	r.t.Helper()
	if status, body := r.presigned(c, method, key); status != 403 || !strings.Contains(body, "<Code>AccessDenied</Code>") {
		r.t.Errorf("%s %s: %d %.300s, want 403 AccessDenied", method, key, status, body)
	}
}

// The rights of the credentials are the service user's, narrowed by the
// session policy; the store enforces both.
func TestStoreEnforcesRoleAndSessionPolicy(t *testing.T) {
	r := newRig(t)

	whole := r.credentials(radiology, "")
	r.reads(whole, lung)
	r.reads(whole, slice)
	r.mayNot(whole, http.MethodGet, sample)
	r.mayNot(whole, http.MethodPut, lung)
	r.mayNot(whole, http.MethodPut, "radiology/new.png")

	other := r.credentials(research, "")
	r.reads(other, sample)
	r.mayNot(other, http.MethodGet, lung)

	narrowed := r.credentials(radiology, policy(t, reads("radiology/ct/")))
	r.reads(narrowed, slice)
	r.mayNot(narrowed, http.MethodGet, lung)
	r.mayNot(narrowed, http.MethodGet, sample)

	greedy := r.credentials(radiology, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":["arn:aws:s3:::*"]}]}`)
	r.reads(greedy, lung)
	r.mayNot(greedy, http.MethodGet, sample)
	r.mayNot(greedy, http.MethodPut, lung)

	swapped := *whole
	swapped.SessionToken = other.SessionToken
	if status, _ := r.presigned(&swapped, http.MethodGet, lung); status != 403 {
		t.Errorf("another session's token: %d, want 403", status)
	}
	bare := *whole
	bare.SessionToken = nil
	if status, _ := r.presigned(&bare, http.MethodGet, lung); status != 403 {
		t.Errorf("no session token: %d, want 403", status)
	}
	r.accounted(whole, other, narrowed, greedy)
}

// accounted asserts that the log has a line for each of these credentials,
// and nothing that could be used.
func (r *rig) accounted(issued ...*types.Credentials) {
	r.t.Helper()
	text, err := os.ReadFile(r.log)
	if err != nil {
		r.t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != len(issued) {
		r.t.Fatalf("the log has %d lines for %d credentials", len(lines), len(issued))
	}
	for i, c := range issued {
		var record struct {
			Code        string
			SessionName string `json:"session_name"`
			AccessKeyID string `json:"access_key_id"`
			Narrowed    *bool
		}
		if err := json.Unmarshal([]byte(lines[i]), &record); err != nil {
			r.t.Fatal(err)
		}
		if record.Code != "OK" || record.AccessKeyID != aws.ToString(c.AccessKeyId) || record.SessionName != "ada@example.com" || record.Narrowed == nil || *record.Narrowed != (i >= 2) {
			r.t.Errorf("line %d says %s", i, lines[i])
		}
		for _, secret := range []string{aws.ToString(c.SecretAccessKey), aws.ToString(c.SessionToken), userSecret} {
			if strings.Contains(string(text), secret) {
				r.t.Error("a secret stands in the log")
			}
		}
	}
}

// refused asserts the error code that the SDK reads.
func refused(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Errorf("answered %v, want %s", err, code)
	}
}

func TestNoCredentialsUnlessEverythingIsRight(t *testing.T) {
	r := newRig(t)

	unsigned := spec()
	unsigned.Sign = samltest.SignNothing
	_, err := r.assume(radiology, "", unsigned)
	refused(t, err, "InvalidIdentityToken")

	fewer := spec()
	fewer.Roles = fewer.Roles[1:]
	_, err = r.assume(radiology, "", fewer)
	refused(t, err, "AccessDenied")

	_, err = r.assume(radiology, `{"Version":"2012-10-17","Statement":[]}`, spec())
	refused(t, err, "MalformedPolicyDocument")

	// A policy that AWS would read, and this store does not.
	_, err = r.assume(radiology, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}`, spec())
	refused(t, err, "MalformedPolicyDocument")

	_, err = r.assume(radiology, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["kms:Decrypt"],"Resource":["*"]}]}`, spec())
	refused(t, err, "MalformedPolicyDocument")
	if !strings.Contains(err.Error(), "kms:Decrypt") {
		t.Errorf("the caller is not told what the store dislikes: %v", err)
	}

	// The service user's secret is wrong: our fault, not the caller's.
	_, err = r.assume(mistyped, "", spec())
	refused(t, err, "ServiceUnavailable")

	if err := stop(r.server); err != nil {
		t.Logf("MinIO ended with %v", err)
	}
	_, err = r.assume(radiology, "", spec())
	refused(t, err, "ServiceUnavailable")

	if err := stop(r.program); err != nil {
		t.Errorf("samlsts did not end well on SIGTERM: %v", err)
	}
}

func TestUnmodifiedBoto3(t *testing.T) {
	r := newRig(t)
	job := func(role, key string, s samltest.Spec) (got struct {
		Role, Body, Code, Message string
		Status                    int
	}) {
		call := map[string]any{"RoleArn": role, "PrincipalArn": corp, "SAMLAssertion": r.idp.Response(s), "DurationSeconds": 900, "Policy": policy(t, reads("radiology/"))}
		output := r.python("testdata/boto3_client.py", map[string]any{"sts": r.samlsts, "s3": "http://" + r.minio, "bucket": bucket, "key": key, "call": call})
		if err := json.Unmarshal(output, &got); err != nil {
			t.Fatalf("reading %q: %v", output, err)
		}
		return got
	}
	if got := job(radiology, lung, spec()); got.Status != 200 || got.Body != objects[lung] || got.Role != "arn:aws:sts::111122223333:assumed-role/radiology/ada@example.com" {
		t.Errorf("boto3 got %+v", got)
	}
	if got := job(radiology, sample, spec()); got.Status != 403 {
		t.Errorf("outside of the role boto3 got %+v", got)
	}
	elsewhere := spec()
	elsewhere.Recipient = "https://signin.aws.amazon.com/saml"
	if got := job(radiology, lung, elsewhere); got.Code != "AccessDenied" || got.Message != "Not authorized to perform sts:AssumeRoleWithSAML" {
		t.Errorf("boto3 got %+v", got)
	}
}
