package server

import (
	"cmp"
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
		as, err := own(w)
		if err != nil {
			return nil, err
		}
		for _, one := range c.STS {
			if one.Name == c.RoleSTS[w.Role] {
				standing.STSName, standing.Duration = one.Name, one.Duration
				standing.STS = stsClient(one, as)
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

// own are the credentials with which STS is asked for a workload's role, as the
// configuration says: a web identity needs none, and nothing is found out.
func own(w config.Workload) (aws.CredentialsProvider, error) {
	switch {
	case w.WebIdentityTokenFile != "":
		return aws.AnonymousCredentials{}, nil
	case w.Credentials == config.FromEnvironment:
		return credcache.Environment(os.Getenv), nil
	case w.Credentials == config.FromInstance:
		return credcache.Instance(cmp.Or(w.InstanceMetadata, credcache.InstanceMetadata)), nil
	case w.Credentials == config.FromContainer:
		return credcache.Container(os.Getenv), nil
	}
	return nil, fmt.Errorf("the workload %s does not say with whose credentials its role is taken", w.Name)
}
