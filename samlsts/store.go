package samlsts

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// storeTimeout bounds one question to the store, its retry included.
const storeTimeout = 10 * time.Second

// assumeAt asks the store's own STS for credentials, as the service user that
// stands for the role. RoleArn and RoleSessionName are sent for the store's
// log; the caller's policy is what narrows the user's rights.
func assumeAt(store Store) Assume {
	client := awshttp.NewBuildableClient().WithTimeout(storeTimeout)
	return func(ctx context.Context, o Order) (*Credentials, error) {
		in := &sts.AssumeRoleInput{
			RoleArn:         aws.String(o.Role.ARN),
			RoleSessionName: aws.String(o.SessionName),
			DurationSeconds: aws.Int32(int32(o.Duration / time.Second)),
		}
		if o.Policy != "" {
			in.Policy = aws.String(o.Policy)
		}
		out, err := sts.New(sts.Options{
			Region:           store.Region,
			BaseEndpoint:     aws.String(store.Endpoint),
			Credentials:      o.Role.Store,
			HTTPClient:       client,
			RetryMaxAttempts: 2,
		}).AssumeRole(ctx, in)
		if err != nil {
			return nil, storeError(err, o)
		}
		if out.Credentials == nil {
			return nil, errors.New("the store's answer has no credentials")
		}
		return &Credentials{
			AccessKeyID:     aws.ToString(out.Credentials.AccessKeyId),
			SecretAccessKey: Secret(aws.ToString(out.Credentials.SecretAccessKey)),
			SessionToken:    Secret(aws.ToString(out.Credentials.SessionToken)),
			Expiration:      aws.ToTime(out.Credentials.Expiration),
		}, nil
	}
}

// Retrieve makes a ServiceUser an aws.CredentialsProvider.
func (u ServiceUser) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: u.AccessKeyID, SecretAccessKey: u.SecretAccessKey.Reveal(), Source: "samlsts"}, nil
}

// storeError passes on what is the caller's to mend: the policy. Everything
// else (a wrong secret, a user that may not) is ours. MinIO answers
// InvalidParameterValue to a policy that it cannot read, such as one whose
// Statement is not a list, or that names an action of AWS's like kms:Decrypt.
func storeError(err error, o Order) error {
	var api smithy.APIError
	if errors.As(err, &api) && o.Policy != "" {
		var e *Error
		switch api.ErrorCode() {
		case "MalformedPolicyDocument", "InvalidParameterValue":
			e = malformedPolicy("The store does not accept the session policy: %.200s", api.ErrorMessage())
		case "PackedPolicyTooLarge":
			e = refuse(http.StatusBadRequest, "PackedPolicyTooLarge", "The session policy is too large for the store")
		}
		if e != nil {
			e.Cause = err
			return e
		}
	}
	return fmt.Errorf("asking the store: %w", err)
}

// storeSkew is how much later than asked for the store's Expiration may be:
// its clock is not ours.
const storeSkew = 5 * time.Minute

// check refuses credentials that are incomplete, or outlive what was granted.
func (c *Credentials) check(o Order, now time.Time) error {
	switch {
	case c == nil || c.AccessKeyID == "" || c.SecretAccessKey == "" || c.SessionToken == "":
		return errors.New("the store's credentials are incomplete")
	case !c.Expiration.After(now):
		return errors.New("the store's credentials have expired already; compare the clocks")
	case c.Expiration.After(now.Add(o.Duration + storeSkew)):
		return errors.New("the store's credentials live longer than was asked for")
	}
	return nil
}
