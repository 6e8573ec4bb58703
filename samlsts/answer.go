package samlsts

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"time"
	"unicode/utf8"
)

// assumeRoleWithSAMLResponse is the answer as the STS API reference shows it.
type assumeRoleWithSAMLResponse struct {
	XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ AssumeRoleWithSAMLResponse"`
	Result  struct {
		Credentials struct {
			AccessKeyId     string
			SecretAccessKey string
			SessionToken    string
			Expiration      string
		}
		AssumedRoleUser struct {
			Arn           string
			AssumedRoleId string
		}
		Audience         string
		Issuer           string
		NameQualifier    string
		Subject          string
		SubjectType      string
		PackedPolicySize *int `xml:",omitempty"`
	} `xml:"AssumeRoleWithSAMLResult"`
	RequestID string `xml:"ResponseMetadata>RequestId"`
}

// answer builds the answer to a granted call.
func (g *grant) answer(c *Credentials, requestID string) *assumeRoleWithSAMLResponse {
	a := &assumeRoleWithSAMLResponse{RequestID: requestID}
	r := &a.Result
	r.Credentials.AccessKeyId = c.AccessKeyID
	r.Credentials.SecretAccessKey = c.SecretAccessKey.Reveal()
	r.Credentials.SessionToken = c.SessionToken.Reveal()
	r.Credentials.Expiration = c.Expiration.UTC().Format(time.RFC3339)
	r.AssumedRoleUser.Arn = g.order.Role.parsed.session(g.order.SessionName)
	r.AssumedRoleUser.AssumedRoleId = roleID(g.order.Role.ARN) + ":" + g.order.SessionName
	r.Audience = g.said.recipient
	r.Issuer = g.said.issuer
	r.NameQualifier = nameQualifier(g.said.issuer, g.provider.arn)
	r.Subject = g.said.nameID
	r.SubjectType = g.said.subjectType()
	if g.order.Policy != "" {
		percent := (utf8.RuneCountInString(g.order.Policy)*100 + maxPolicy - 1) / maxPolicy
		r.PackedPolicySize = &percent
	}
	return a
}

// nameQualifier is what STS makes of issuer, account and provider name (STS
// API reference, AssumeRoleWithSAML). SHA-1 is AWS's choice and guards nothing.
func nameQualifier(issuer string, provider iamARN) string {
	sum := sha1.Sum([]byte(issuer + provider.account + "/" + provider.name))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// roleID is a stable identifier in the form of IAM's, made from the ARN.
func roleID(arn string) string {
	sum := sha256.Sum256([]byte(arn))
	return "AROA" + base32.StdEncoding.EncodeToString(sum[:])[:17]
}

// errorResponse is an error as the AWS Query protocol has it.
type errorResponse struct {
	XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
	Error   struct {
		Type    string
		Code    string
		Message string
	}
	RequestID string `xml:"RequestId"`
}

func (e *Error) answer(requestID string) *errorResponse {
	a := &errorResponse{RequestID: requestID}
	a.Error.Type, a.Error.Code, a.Error.Message = "Receiver", e.Code, e.Message
	if e.sender() {
		a.Error.Type = "Sender"
	}
	return a
}

// write sends an answer. Nothing in between may keep one.
func write(w http.ResponseWriter, status int, requestID string, answer any) error {
	body, err := xml.MarshalIndent(answer, "", "  ")
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/xml")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Amzn-RequestId", requestID)
	w.WriteHeader(status)
	_, err = w.Write(append(body, '\n'))
	return err
}
