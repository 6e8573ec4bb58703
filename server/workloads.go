package server

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/session"
)

// workloads makes the configured programs, whose roles Run then takes.
func (s *Server) workloads(c *config.Config, o Options) (map[int64]*decision.Workload, error) {
	all := map[int64]*decision.Workload{}
	for _, w := range c.Workloads {
		policies, err := c.Grants.SessionPolicies(w.Role)
		if err != nil {
			return nil, fmt.Errorf("the workload %s: %w", w.Name, err)
		}
		standing := &credcache.Standing{
			Name: w.Name, RoleARN: w.Role, Policies: policies, TokenFile: w.WebIdentityTokenFile, Now: o.Now, Log: o.Log,
		}
		for _, one := range c.STS {
			if one.Name == c.RoleSTS[w.Role] {
				standing.STSName, standing.Duration = one.Name, one.Duration
				standing.STS = stsClient(one, own(w))
			}
		}
		s.standing = append(s.standing, standing)
		all[w.AppUser] = &decision.Workload{
			Session:     &session.Session{ID: "workload " + w.Name, Principal: saml.Principal{IdP: "workload", SessionName: w.Name}, Roles: []string{w.Role}},
			Credentials: standing.Get,
		}
	}
	return all, nil
}

// own are the credentials with which STS is asked for a workload's role: a web
// identity needs none.
func own(w config.Workload) aws.CredentialsProvider {
	if w.WebIdentityTokenFile != "" {
		return aws.AnonymousCredentials{}
	}
	return aws.CredentialsProviderFunc(environment)
}

// environment reads the usual variables each time, so that nothing is kept.
func environment(context.Context) (aws.Credentials, error) {
	c := aws.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: os.Getenv("AWS_SESSION_TOKEN"), Source: "environment"}
	if c.AccessKeyID == "" || c.SecretAccessKey == "" {
		return aws.Credentials{}, errors.New("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set, and the workload has no web_identity_token_file: set either")
	}
	return c, nil
}
