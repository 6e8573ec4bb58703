package credcache_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/rolepass/rolepass/credcache"
)

// roleSTS gives credentials for an hour and counts.
type roleSTS struct {
	mu       sync.Mutex
	policies []string
	tokens   []string
	err      error
}

func (s *roleSTS) give() *types.Credentials {
	return &types.Credentials{AccessKeyId: aws.String("ASIA"), SecretAccessKey: aws.String("s"), SessionToken: aws.String("t"), Expiration: aws.Time(time.Now().Add(time.Hour))}
}

func (s *roleSTS) AssumeRole(_ context.Context, in *sts.AssumeRoleInput, _ ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.policies = append(s.policies, *in.Policy)
	return &sts.AssumeRoleOutput{Credentials: s.give()}, s.err
}

func (s *roleSTS) AssumeRoleWithWebIdentity(_ context.Context, in *sts.AssumeRoleWithWebIdentityInput, _ ...func(*sts.Options)) (*sts.AssumeRoleWithWebIdentityOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.policies, s.tokens = append(s.policies, *in.Policy), append(s.tokens, *in.WebIdentityToken)
	return &sts.AssumeRoleWithWebIdentityOutput{Credentials: s.give()}, s.err
}

// fails makes STS answer with the error from now on; nil: no more.
func (s *roleSTS) fails(err error) { s.mu.Lock(); defer s.mu.Unlock(); s.err = err }

func (s *roleSTS) taken() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.policies, " ")
}

func standing(with credcache.RoleSTS) *credcache.Standing {
	return &credcache.Standing{
		Name: "ml", RoleARN: "arn:aws:iam::111122223333:role/ml", Policies: []string{"one", "two"}, STSName: "aws", STS: with,
		Duration: time.Hour, Now: time.Now, Log: secrets.Log,
	}
}

// The role is taken again after half of its life, each shard once, and what is
// there serves on while STS is down.
func TestAProgramsRoleIsTakenAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		with := &roleSTS{}
		s := standing(with)
		if _, err := s.Get(0); !errors.Is(err, credcache.ErrNone) {
			t.Errorf("before it was taken: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		synctest.Wait()
		if c, err := s.Get(1); err != nil || c.STS != "aws" || with.taken() != "one two" {
			t.Fatalf("gave %v, %v after %v", c, err, with.taken())
		}
		time.Sleep(31 * time.Minute)
		synctest.Wait()
		if with.taken() != "one two one two" {
			t.Errorf("after half an hour the role was taken for %v", with.taken())
		}
		with.fails(errors.New("down"))
		time.Sleep(50 * time.Minute)
		if _, err := s.Get(0); err != nil {
			t.Errorf("what was there does not serve on: %v", err)
		}
		time.Sleep(11 * time.Minute)
		if _, err := s.Get(0); !errors.Is(err, credcache.ErrNone) {
			t.Errorf("ended credentials are given: %v", err)
		}
		with.fails(nil)
		time.Sleep(16 * time.Second)
		synctest.Wait()
		if _, err := s.Get(0); err != nil {
			t.Errorf("once STS is back: %v", err)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// A pod's token is read anew each time, and is in no error.
func TestAWebIdentityIsReadEachTime(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	with := &roleSTS{}
	s := standing(with)
	s.TokenFile = file
	if _, err := s.Renew(t.Context()); err == nil {
		t.Error("a token was found where none is")
	}
	for _, token := range []string{"first-token", "second-token"} {
		secrets.Keep("a web identity", token)
		if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Join(with.tokens, " ") != "first-token first-token second-token second-token" {
		t.Errorf("STS saw %v", with.tokens)
	}
	with.err = errors.New("the token second-token is not good")
	_, err := s.Renew(t.Context())
	if err == nil || strings.Contains(err.Error(), "second-token") {
		t.Errorf("the error is %v", err)
	}
	secrets.Refused(err)
}
