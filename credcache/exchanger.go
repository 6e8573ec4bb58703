package credcache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
	"github.com/rolepass/rolepass/saml"
)

// CodeMismatch means that STS read the assertion differently from us: one of
// the two was deceived. The login is dropped and somebody should be woken.
const CodeMismatch refusal.Code = "sts_disagrees"

// Disagreed is what Called is told when STS read the assertion differently.
const Disagreed = "disagreed"

// Codes of an exchange that STS refused or did not answer.
const (
	CodeRefused     refusal.Code = "sts_refused"
	CodeUnavailable refusal.Code = "sts_unavailable"
	CodeThrottled   refusal.Code = "sts_throttled"
)

// STS is the one call of the AWS Security Token Service that Rolepass makes.
// *sts.Client satisfies it.
type STS interface {
	AssumeRoleWithSAML(context.Context, *sts.AssumeRoleWithSAMLInput, ...func(*sts.Options)) (*sts.AssumeRoleWithSAMLOutput, error)
}

// Exchanger trades assertions for credentials at one token service.
type Exchanger struct {
	// Name is the token service's configured name; the credentials carry it.
	Name string
	STS  STS
	// Duration is how long credentials are asked for, 15 minutes to 12 hours.
	// STS refuses more than the role's MaxSessionDuration.
	Duration time.Duration
	// Called is told of each call's outcome: "ok", "unavailable", "throttled" or
	// another error code of STS; and then of [Disagreed], which is an alarm.
	Called func(outcome string)
}

// Order is what one exchange asks for.
type Order struct {
	Role      saml.Role
	Encoded   string // the base64 response, untouched
	Assertion *saml.Assertion
	Policy    string // the session policy that narrows the role
}

// Format shows the role only, whatever the verb: the rest holds the assertion.
func (o Order) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "order for "+o.Role.ARN) }

// LogValue shows the role only.
func (o Order) LogValue() slog.Value { return slog.StringValue(o.Role.ARN) }

// MarshalText shows the role only.
func (o Order) MarshalText() ([]byte, error) { return []byte(o.Role.ARN), nil }

// Exchange calls STS once (its own retries aside) and checks its answer. Where
// a role does not allow as long a time as was asked for, it asks once more,
// for an hour.
func (e *Exchanger) Exchange(ctx context.Context, o Order) (*presign.Credentials, error) {
	out, err := e.call(ctx, o, e.Duration)
	if tooLong(err) && e.Duration > leastMaximum {
		e.Called("ValidationError")
		out, err = e.call(ctx, o, leastMaximum)
	}
	if err != nil {
		return nil, e.refused(o, err)
	}
	e.Called("ok")
	if err := agrees(out, o); err != nil {
		e.Called(Disagreed)
		return nil, err
	}
	return e.credentials(out)
}

// leastMaximum is the lowest MaxSessionDuration that a role can have (IAM API
// Reference, CreateRole): credentials for an hour are always to be had.
const leastMaximum = time.Hour

func (e *Exchanger) call(ctx context.Context, o Order, duration time.Duration) (*sts.AssumeRoleWithSAMLOutput, error) {
	return e.STS.AssumeRoleWithSAML(ctx, &sts.AssumeRoleWithSAMLInput{
		RoleArn:         aws.String(o.Role.ARN),
		PrincipalArn:    aws.String(o.Role.Provider),
		SAMLAssertion:   aws.String(o.Encoded),
		DurationSeconds: aws.Int32(int32(duration / time.Second)),
		Policy:          aws.String(o.Policy),
	})
}

// tooLong says that STS would give credentials for a shorter time.
func tooLong(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "ValidationError" && strings.Contains(api.ErrorMessage(), "MaxSessionDuration")
}

func (e *Exchanger) refused(o Order, err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		e.Called("unavailable")
		return refusal.New(refusal.Unavailable, CodeUnavailable, "STS %s did not answer for role %s: check that its regional endpoint can be reached from here", e.Name, o.Role.ARN).Because(redact(err, o))
	}
	if throttled(err, api) {
		e.Called("throttled")
		return refusal.New(refusal.Unavailable, CodeThrottled, "STS %s asks for fewer calls (%s, for role %s): it passes by itself; if it comes back, look at what else calls STS in the account", e.Name, api.ErrorCode(), o.Role.ARN).Because(redact(err, o))
	}
	if failed(err, api) {
		e.Called("unavailable")
		return refusal.New(refusal.Unavailable, CodeUnavailable, "STS %s failed for role %s (%s): try again later", e.Name, o.Role.ARN, api.ErrorCode()).Because(redact(err, o))
	}
	e.Called(api.ErrorCode())
	return refusal.New(refusal.Forbidden, CodeRefused, "STS %s refused role %s (%s: %s): %s", e.Name, o.Role.ARN, api.ErrorCode(), withoutAssertion(api.ErrorMessage(), o), advice(api.ErrorCode(), o)).Because(redact(err, o))
}

// advice says where to look, by STS's error code.
func advice(code string, o Order) string {
	switch code {
	case "AccessDenied":
		return fmt.Sprintf("the role's trust policy must allow sts:AssumeRoleWithSAML to %s with SAML:aud equal to %s", o.Role.Provider, o.Assertion.Recipient)
	case "InvalidIdentityToken":
		return "the provider in IAM must hold the metadata that the IdP signs with today and, where the IdP encrypts, the key of decryption_key_file"
	case "ExpiredTokenException":
		return "the assertion reached STS too late: compare the clocks, and the assertion lifetime at the IdP"
	case "ValidationError":
		return "see the message"
	case "PackedPolicyTooLarge", "MalformedPolicyDocument":
		return "the session policy built from the grants was not accepted: report this with the grants"
	}
	return "see AWS's documentation of AssumeRoleWithSAML errors"
}

// redact keeps the assertion out of error texts, should a library quote it.
func redact(err error, o Order) error {
	return errors.New(withoutAssertion(err.Error(), o))
}

// encodedRun is a stretch that only an encoded document has: base64, perhaps
// percent-encoded. No ARN has one, as it has colons.
var encodedRun = regexp.MustCompile(`[A-Za-z0-9+/=%_-]{65,}`)

// withoutAssertion is a text of STS, which quotes the values that it does not
// like: whole, or cut.
func withoutAssertion(text string, o Order) string {
	if o.Encoded != "" {
		text = strings.ReplaceAll(text, o.Encoded, "[assertion]")
	}
	return encodedRun.ReplaceAllString(text, "[assertion]")
}

// agrees compares STS's reading of the assertion with ours. Two independent
// parsers that agree leave no room for a trick that deceives one.
func agrees(out *sts.AssumeRoleWithSAMLOutput, o Order) error {
	for _, r := range append(readings(out, o), saidReadings(out, o)...) {
		if r.theirs != r.ours {
			return refusal.New(refusal.Forbidden, CodeMismatch, "STS and Rolepass read different values for %s out of one assertion: the login was dropped; treat this as an attack until it is explained", r.what)
		}
	}
	return nil
}

// reading is one value, as STS read it and as we did.
type reading struct{ what, theirs, ours string }

// readings are those that every STS must say.
func readings(out *sts.AssumeRoleWithSAMLOutput, o Order) []reading {
	a := o.Assertion
	roleArn := ""
	if out.AssumedRoleUser != nil {
		roleArn = aws.ToString(out.AssumedRoleUser.Arn)
	}
	return []reading{
		{"Subject", aws.ToString(out.Subject), a.Principal.NameID},
		{"Issuer", aws.ToString(out.Issuer), a.Issuer},
		{"Audience", aws.ToString(out.Audience), a.Recipient},
		{"AssumedRoleUser", roleArn, assumedRole(o.Role.ARN, a.Principal.SessionName)},
	}
}

// sourceIdentity is the attribute that STS gives back under that name.
const sourceIdentity = "https://aws.amazon.com/SAML/Attributes/SourceIdentity"

// saidReadings are those that an STS may leave out, as those of S3 servers do.
// AWS does not say what the SubjectType of a NameID without a Format is.
func saidReadings(out *sts.AssumeRoleWithSAMLOutput, o Order) (said []reading) {
	format, identity := o.Assertion.Principal.NameIDFormat, ""
	if values := o.Assertion.Attributes[sourceIdentity]; len(values) > 0 {
		identity = values[0]
	}
	if theirs := aws.ToString(out.SubjectType); theirs != "" && format != saml.Unspecified {
		said = append(said, reading{"SubjectType", theirs, strings.TrimPrefix(format, "urn:oasis:names:tc:SAML:2.0:nameid-format:")})
	}
	if theirs := aws.ToString(out.SourceIdentity); theirs != "" {
		said = append(said, reading{"SourceIdentity", theirs, identity})
	}
	return said
}

// assumedRole is the ARN that STS gives to a session of a role: the account's
// sts ARN with the role's name (its path left out) and the session name.
func assumedRole(roleARN, sessionName string) string {
	parts := strings.SplitN(roleARN, ":", 6)
	if len(parts) != 6 {
		return ""
	}
	name := parts[5][strings.LastIndexByte(parts[5], '/')+1:]
	return "arn:" + parts[1] + ":sts::" + parts[4] + ":assumed-role/" + name + "/" + sessionName
}

func (e *Exchanger) credentials(out *sts.AssumeRoleWithSAMLOutput) (*presign.Credentials, error) {
	c, err := complete(out.Credentials, e.Name)
	if err != nil {
		return nil, refusal.New(refusal.Unavailable, CodeUnavailable, "%v", err)
	}
	return c, nil
}
