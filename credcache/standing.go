package credcache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/rolepass/rolepass/presign"
)

// RoleSTS are the two calls by which a program takes a role without an
// assertion. *sts.Client satisfies it.
type RoleSTS interface {
	AssumeRole(context.Context, *sts.AssumeRoleInput, ...func(*sts.Options)) (*sts.AssumeRoleOutput, error)
	AssumeRoleWithWebIdentity(context.Context, *sts.AssumeRoleWithWebIdentityInput, ...func(*sts.Options)) (*sts.AssumeRoleWithWebIdentityOutput, error)
}

// Standing are the credentials of a program, which nobody signs in for: a role
// is taken with the process's own identity, narrowed by the grants, and taken
// again long before the credentials end. Run does that; Get asks nobody.
type Standing struct {
	// Name is the program's, and the role session's name.
	Name string
	// RoleARN and Policies are the role with its session policies, by shard.
	RoleARN  string
	Policies []string
	// STSName is the token service's configured name; the credentials carry it.
	STSName string
	STS     RoleSTS
	// TokenFile holds a web identity token (OpenID Connect), read anew each
	// time; empty: STS signs the request with credentials of its own.
	TokenFile string
	Duration  time.Duration
	Now       func() time.Time
	Log       *slog.Logger

	mu   sync.Mutex
	kept map[int]*presign.Credentials
}

const (
	// tryAgain is how soon a role that could not be taken is tried again.
	tryAgain = 15 * time.Second
	// standingPatience is how long one call may take.
	standingPatience = 10 * time.Second
)

// Get gives the credentials of a shard while they last, or ErrNone.
func (s *Standing) Get(shard int) (*presign.Credentials, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.kept[shard]
	if c == nil || !s.Now().Before(c.Expires) {
		return nil, ErrNone
	}
	return c, nil
}

// Run takes the role until ctx ends, each time after half of the credentials'
// life.
func (s *Standing) Run(ctx context.Context) error {
	for {
		next := tryAgain
		if ends, err := s.Renew(ctx); err != nil {
			s.Log.WarnContext(ctx, "a workload's role could not be taken", "workload", s.Name, "role", s.RoleARN, "error", err)
		} else if half := ends.Sub(s.Now()) / 2; half > next {
			next = half
		}
		timer := time.NewTimer(next)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// Renew takes the role once for each shard, and says when the first of the
// credentials end. What was there serves on when it fails.
func (s *Standing) Renew(ctx context.Context) (ends time.Time, err error) {
	for shard, policy := range s.Policies {
		c, err := s.take(ctx, policy)
		if err != nil {
			return time.Time{}, err
		}
		s.mu.Lock()
		if s.kept == nil {
			s.kept = map[int]*presign.Credentials{}
		}
		s.kept[shard] = c
		s.mu.Unlock()
		if ends.IsZero() || c.Expires.Before(ends) {
			ends = c.Expires
		}
	}
	return ends, nil
}

func (s *Standing) take(ctx context.Context, policy string) (*presign.Credentials, error) {
	ctx, cancel := context.WithTimeout(ctx, standingPatience)
	defer cancel()
	seconds := aws.Int32(int32(s.Duration / time.Second))
	if s.TokenFile == "" {
		out, err := s.STS.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: &s.RoleARN, RoleSessionName: &s.Name, Policy: &policy, DurationSeconds: seconds})
		if err != nil {
			return nil, err
		}
		return complete(out.Credentials, s.STSName)
	}
	token, err := os.ReadFile(s.TokenFile)
	if err != nil {
		return nil, fmt.Errorf("reading the web identity token: %w", err)
	}
	out, err := s.STS.AssumeRoleWithWebIdentity(ctx, &sts.AssumeRoleWithWebIdentityInput{
		RoleArn: &s.RoleARN, RoleSessionName: &s.Name, Policy: &policy, DurationSeconds: seconds,
		WebIdentityToken: aws.String(strings.TrimSpace(string(token))),
	})
	if err != nil {
		return nil, errors.New(strings.ReplaceAll(err.Error(), strings.TrimSpace(string(token)), "[token]"))
	}
	return complete(out.Credentials, s.STSName)
}

var _ RoleSTS = (*sts.Client)(nil)

// complete puts credentials of STS into our words.
func complete(c *types.Credentials, name string) (*presign.Credentials, error) {
	if c == nil || aws.ToString(c.AccessKeyId) == "" || aws.ToString(c.SecretAccessKey) == "" || aws.ToString(c.SessionToken) == "" || c.Expiration == nil {
		return nil, fmt.Errorf("STS %s answered without complete credentials", name)
	}
	return &presign.Credentials{
		AccessKeyID:     *c.AccessKeyId,
		SecretAccessKey: presign.Secret(*c.SecretAccessKey),
		SessionToken:    presign.Secret(*c.SessionToken),
		Expires:         *c.Expiration,
		STS:             name,
	}, nil
}
