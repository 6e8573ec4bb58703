package config

import (
	"slices"

	"github.com/rolepass/rolepass/grants"
)

// Workload is a program that reads objects under a role of its own.
type Workload struct {
	// Name (name, required) is the program's, in the audit and as the role
	// session's name in CloudTrail.
	Name string
	// AppUser (app_user, required) is the number of the Label Studio user
	// whose token the program has: an account of its own, never the owner's
	// or an administrator's, since its token stands for what the role reads.
	AppUser int64
	// Role (role, required) is the ARN of a granted role.
	Role string
	// WebIdentityTokenFile (web_identity_token_file, optional) holds the
	// OpenID Connect token with which the role is taken, as a pod has one. It
	// or Credentials is required.
	WebIdentityTokenFile string
	// Credentials (credentials, optional) says with whose credentials the role
	// is taken otherwise: environment, the keys in AWS_ACCESS_KEY_ID,
	// AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; instance, the profile of the
	// EC2 instance; or container, the role of the ECS task or, with EKS Pod
	// Identity, of the pod. Nothing else is looked for where it has none.
	Credentials CredentialsFrom
	// InstanceMetadata (instance_metadata, optional) is where an instance finds
	// its credentials, if that is not http://169.254.169.254: with IPv6 alone,
	// http://[fd00:ec2::254].
	InstanceMetadata string
}

// CredentialsFrom says whose credentials take a workload's role.
type CredentialsFrom string

// The identities that Rolepass can have without a token file.
const (
	FromEnvironment CredentialsFrom = "environment"
	FromInstance    CredentialsFrom = "instance"
	FromContainer   CredentialsFrom = "container"
)

func (s section) workloads(c *Config) {
	taken := map[string]int{}
	for _, item := range s.list(s.get("workloads")) {
		w := s.section(item, "name", "app_user", "role", "web_identity_token_file", "credentials", "instance_metadata")
		one := Workload{
			Name:    w.named(taken),
			AppUser: w.integer(w.need("app_user", "give the number of the Label Studio user whose token the program has")),
			Role:    w.text(w.need("role", "give the ARN of the role under which the program reads; a grant names it, too")),
		}
		if v := w.get("web_identity_token_file"); v.given() {
			one.WebIdentityTokenFile = w.filename(v)
		}
		w.identity(&one)
		c.Workloads = append(c.Workloads, one)
	}
}

// identity reads with whose credentials the role is taken: that is said, and
// never found out.
func (s section) identity(w *Workload) {
	v := s.get("credentials")
	switch {
	case v.given() && w.WebIdentityTokenFile != "":
		s.problem(v.place, "the role is taken with the web identity: leave out one of credentials and web_identity_token_file")
	case v.given():
		w.Credentials = CredentialsFrom(s.word("credentials", string(FromEnvironment), string(FromInstance), string(FromContainer)))
	case w.WebIdentityTokenFile == "":
		s.problem(s.place, "nothing says with whose credentials the role is taken: give web_identity_token_file, or credentials: environment, instance or container")
	}
	at := s.get("instance_metadata")
	if !at.given() {
		return
	}
	if w.Credentials != FromInstance {
		s.problem(at.place, "it is for credentials: instance only: leave it out")
		return
	}
	if u := s.origin(at); u != nil {
		if u.Scheme != "http" || !isOwnMachine(u.Hostname()) {
			s.problem(at.place, "the metadata service is at 169.254.169.254, at fd00:ec2::254, or on loopback, over http: what it gives must not come from elsewhere")
			return
		}
		w.InstanceMetadata = u.String()
	}
}

// isOwnMachine says that an address is where only this machine's own metadata
// service, or something on it, can be.
func isOwnMachine(host string) bool {
	return host == "169.254.169.254" || host == "fd00:ec2::254" || isLoopback(host)
}

// compareWorkloads: each is one user, not the owner, with a role that reads
// something.
func (s section) compareWorkloads(c *Config) {
	s.compareOwner(c)
	users := map[int64]string{}
	for i, w := range c.Workloads {
		at := s.item("workloads", i)
		if c.Application != nil {
			s.problem(at, "a workload is known by its token of Label Studio, and this is another application: leave workloads out")
		}
		switch other, twice := users[w.AppUser]; {
		case w.AppUser == 0:
		case w.AppUser == c.LabelStudio.OwnerID:
			s.problem(at, "user %d is the organization's owner, whose token Label Studio itself uses: give the program an account of its own", w.AppUser)
		case twice:
			s.problem(at, "user %d is that of the workload %s already: give each program an account of its own", w.AppUser, other)
		}
		users[w.AppUser] = w.Name
		if len(c.GrantList) > 0 && w.Role != "" && !slices.ContainsFunc(c.GrantList, func(g grants.Grant) bool { return g.Role == w.Role }) {
			s.problem(at, "no grant names the role %s, so the program could read nothing: add a grant", w.Role)
		}
		if slices.Contains(c.LabelStudio.Administrators, w.Role) {
			s.problem(at, "the role is an administrator's: give the program a role of its own")
		}
	}
}

// compareOwner: whose token no workload may have is known where people's accounts
// are made, and must be said elsewhere. Without workloads nobody asks for it.
func (s section) compareOwner(c *Config) {
	ls := c.LabelStudio
	switch needed := len(c.Workloads) > 0; {
	case ls.URL == nil || ls.SignIn.Accounts():
	case needed && ls.OwnerID == 0:
		s.problem(s.at("workloads"), "sign_in: %s does not say who the organization's owner is, whose token no program may have: give label_studio owner_id, the number of that user", ls.SignIn)
	case !needed && ls.OwnerID != 0:
		s.problem(s.at("label_studio.owner_id"), "sign_in: %s does not use owner_id: leave it out", ls.SignIn)
	}
}

// isWorkload says that a program takes the role, which then needs no IdP.
func (c *Config) isWorkload(role string) bool {
	return slices.ContainsFunc(c.Workloads, func(w Workload) bool { return w.Role == role })
}
