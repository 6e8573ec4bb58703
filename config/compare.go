package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/rolepass/rolepass/grants"
)

// compare looks at what sections say about each other. It says nothing about
// a section that is absent or had problems of its own.
func (s section) compare(c *Config, l *lines) {
	s.compareAddresses(c)
	s.compareMount(c)
	s.compareBuckets(c)
	s.compareRoles(c, l)
	s.compareAdministrators(c)
	s.compareDelivery(c)
	s.compareObserved(c)
	s.compareTitles(c)
	s.compareApplication(c)
	s.compareWorkloads(c)
	s.warnOfPlaces(c)
	s.warnOfAudience(c)
}

func (s section) compareAddresses(c *Config) {
	// Envoy may be on another machine: with it only the very same address counts.
	taken := []struct{ path, address string }{
		{"listen", c.Listen.Address}, {"admin", c.Admin}, {"monitoring", c.Monitoring}, {"envoy.admin", c.Envoy.Admin}, {"envoy.listen", c.Envoy.Listen}, {"admin_socket", c.AdminSocket},
	}
	for i, a := range taken {
		for _, other := range taken[:i] {
			together := strings.HasPrefix(a.path, "envoy.") == strings.HasPrefix(other.path, "envoy.")
			if a.address != "" && a.address == other.address || together && overlap(a.address, other.address) {
				s.problem(s.at(a.path), "%s is the address of %s, too: choose another", a.address, other.path)
			}
		}
	}
	if u := c.AppURL(); u != nil && c.PublicURL != nil && u.Host == c.PublicURL.Host {
		at := "label_studio.url"
		if c.Application != nil {
			at = "application.url"
		}
		s.problem(s.at(at), "this is public_url itself: give the address behind Envoy, or every request goes round in a circle")
	}
}

// overlap says that two cannot listen at these: one port, and one address or every
// address of the machine.
func overlap(a, b string) bool {
	one, err := netip.ParseAddrPort(a)
	if err != nil {
		return false // a socket
	}
	two, err := netip.ParseAddrPort(b)
	return err == nil && one.Port() == two.Port() && (one.Addr() == two.Addr() || one.Addr().IsUnspecified() || two.Addr().IsUnspecified())
}

// compareAdministrators: a login takes roles that grants name, and no others.
func (s section) compareAdministrators(c *Config) {
	for i, role := range c.LabelStudio.Administrators {
		if len(c.GrantList) > 0 && !slices.ContainsFunc(c.GrantList, func(g grants.Grant) bool { return g.Role == role }) {
			s.problem(s.item("label_studio.administrators", i), "no grant names this role, so nobody ever has it: add a grant, or take another role")
		}
	}
}

// compareObserved: who posts to the application is one of our IdPs, and does
// not post there what is meant for us.
func (s section) compareObserved(c *Config) {
	for i, acs := range c.LabelStudio.ACS {
		at := s.item("label_studio.acs", i)
		if acs.IdP != "" && !slices.ContainsFunc(c.IdPs, func(idp IdP) bool { return idp.Name == acs.IdP }) {
			s.problem(at, "there is no identity provider %s: list it under idps", acs.IdP)
		}
		if acs.Organization != 0 && c.LabelStudio.Confirm == ConfirmNone {
			s.problem(at, "an organization is compared with what Label Studio says of the task, and confirm: none asks nothing: leave one of the two out")
		}
		if acs.Path == c.ACSPath {
			s.problem(at, "this is acs_path, which is Rolepass's own: give the path of Label Studio's")
		}
	}
}

// compareTitles: titles are looked up as the organization's owner.
func (s section) compareTitles(c *Config) {
	if len(c.Titles) > 0 && c.LabelStudio.URL != nil && c.LabelStudio.SignIn != SignInBearer && c.LabelStudio.SignIn != SignInToken {
		s.problem(s.at("grants"), "project_titles are looked up as label_studio owner_id, and sign_in: %s has no credential of theirs: write the projects' numbers, under projects", c.LabelStudio.SignIn)
	}
}

func (s section) compareBuckets(c *Config) {
	if len(c.STS) == 0 && !s.whole() {
		return
	}
	for i, b := range c.Buckets {
		at := slices.IndexFunc(c.STS, func(sts STS) bool { return sts.Name == b.STS })
		switch {
		case b.STS == environment || len(c.STS) == 0:
		case at < 0:
			s.problem(s.at(fmt.Sprintf("buckets[%d].sts", i)), "there is no token service %s: write the name of one under sts", b.STS)
		case c.STS[at].Region == "" || b.Host == "":
		case c.STS[at].Endpoint == "" && b.Endpoint == "" && partitionOf(c.STS[at].Region) != partitionOf(b.Region):
			s.problem(s.item("buckets", i), "the bucket's region %s and the token service's region %s are of different AWS partitions, and credentials of one are unknown in the other", b.Region, c.STS[at].Region)
		}
	}
}

// compareRoles finds the token service of each role, and looks whether
// anybody can have the role at all.
func (s section) compareRoles(c *Config, l *lines) {
	c.RoleSTS = map[string]string{}
	read := map[string]bool{}
	for i, g := range c.GrantList {
		if grants.CheckRole(g.Role) != nil {
			continue
		}
		for j, p := range g.Read {
			at := slices.IndexFunc(c.Buckets, func(b Bucket) bool { return b.Name == p.Bucket })
			if at < 0 {
				if len(c.Buckets) > 0 {
					s.problem(l.reads[i][j], "there is no bucket %s: list it under buckets", p.Bucket)
				}
				continue
			}
			read[p.Bucket] = true
			s.compareRole(c, l.reads[i][j], g.Role, c.Buckets[at])
		}
		if !c.isWorkload(g.Role) {
			s.compareAccount(g.Role, s.item("grants", i), l)
		}
	}
	for i, b := range c.Buckets {
		if len(c.GrantList) > 0 && b.Name != "" && !read[b.Name] {
			s.warn(s.item("buckets", i), "no grant reads the bucket %s: nobody can see its objects", b.Name)
		}
	}
}

func (s section) compareRole(c *Config, at place, role string, b Bucket) {
	sts, known := c.RoleSTS[role]
	switch {
	case known && sts != b.STS:
		s.problem(at, "the role reads buckets of two token services, %s and %s, and its credentials come from one: use a role for each", sts, b.STS)
	case b.Endpoint == "" && b.Host != "" && arnPartition(role) != partitionOf(b.Region):
		s.problem(at, "the role is of AWS partition %s and the bucket's region %s of %s: they cannot be used together", arnPartition(role), b.Region, partitionOf(b.Region))
	case !known:
		c.RoleSTS[role] = b.STS
	}
}

// compareAccount: AWS takes a role and its SAML provider from one account.
func (s section) compareAccount(role string, at place, l *lines) {
	if len(l.providers) == 0 {
		return
	}
	for arn := range l.providers {
		if accountOf(arn) == accountOf(role) {
			return
		}
	}
	s.problem(at, "no identity provider has a SAML provider in the role's account %s: add its ARN to providers, or correct the role", accountOf(role))
}

// accountOf is arn:PARTITION:iam::ACCOUNT of an ARN.
func accountOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	return strings.Join(parts[:min(5, len(parts))], ":")
}

func arnPartition(arn string) string {
	parts := strings.SplitN(arn, ":", 3)
	if len(parts) < 3 {
		return ""
	}
	return parts[1]
}

// partitionOf is AWS's partition of a region.
func partitionOf(region string) string {
	for _, p := range []struct{ prefix, partition string }{
		{"cn-", "aws-cn"}, {"us-gov-", "aws-us-gov"}, {"us-isob-", "aws-iso-b"}, {"us-isof-", "aws-iso-f"},
		{"us-iso-", "aws-iso"}, {"eu-isoe-", "aws-iso-e"}, {"eusc-", "aws-eusc"},
	} {
		if strings.HasPrefix(region, p.prefix) {
			return p.partition
		}
	}
	return "aws"
}

func (s section) warnOfPlaces(c *Config) {
	listed := slices.IndexFunc(c.GrantList, func(g grants.Grant) bool { return len(g.Scope.Projects) > 0 })
	if listed >= 0 {
		s.warn(s.item("grants", listed), "projects narrow a grant and are no boundary in Label Studio Community, where every member can edit every project: role and prefix are the boundary")
	}
	if len(c.Titles) > 0 {
		s.warn(s.item("grants", listed), "project_titles are looked up when Rolepass starts, and in Label Studio Community every member can rename projects: a restart may find another one, or none and stop; numbers stay")
	}
	spaced := slices.IndexFunc(c.GrantList, func(g grants.Grant) bool { return len(g.Scope.Workspaces) > 0 })
	if spaced >= 0 {
		s.warn(s.item("grants", spaced), "Label Studio Community has no workspaces: there the grant never holds")
	}
}

// warnOfAudience: STS is said to want AWS's own name among the audiences.
func (s section) warnOfAudience(c *Config) {
	if !slices.ContainsFunc(c.STS, func(sts STS) bool { return sts.Endpoint == "" }) {
		return
	}
	for i, idp := range c.IdPs {
		if !slices.ContainsFunc(idp.Audience, forAWS) {
			s.warn(s.item("idps", i), "audience does not have urn:amazon:webservices, which AWS expects in an assertion: make the IdP send it, too")
		}
	}
}

func forAWS(audience string) bool {
	return strings.HasPrefix(audience, "urn:amazon:webservices") || strings.HasPrefix(audience, "https://signin.")
}
