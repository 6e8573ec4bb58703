package server

import (
	"context"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rolepass/rolepass/application"
	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/credcache"
	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/grants"
	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/saml"
	"github.com/rolepass/rolepass/session"
	"github.com/rolepass/rolepass/state"
)

const (
	// verifying is how many assertions are verified at once.
	verifying = 64
	// startsWaiting is how many logins that begin wait for their signature: about
	// a second's.
	startsWaiting = 64
)

// build makes the decider with all that it needs.
func (s *Server) build(c *config.Config, o Options, ring *state.Keyring) (*decision.Decider, error) {
	signing, err := s.signing(c, o, ring)
	if err != nil {
		return nil, err
	}
	app, err := appClient(c, o, s.metrics)
	if err != nil {
		return nil, err
	}
	if c.Application == nil {
		s.version = app.Version
	}
	workloads, err := s.workloads(c, o)
	if err != nil {
		return nil, err
	}
	s.sealer = &state.Sealer{Keys: ring, Now: o.Now, Rand: o.Rand}
	s.kept = s.keep(c, o)
	s.pages = s.service(c, o, signing.signIn)
	s.pages.Ended = app.Forget
	s.holds()
	d := &decision.Decider{
		Hosts:          hosts(c.PublicURL),
		PublicOrigin:   c.PublicURL.Scheme + "://" + c.PublicURL.Host,
		Mount:          c.LabelStudio.Path,
		Login:          s.pages,
		Sessions:       s.pages.Sessions,
		Grants:         c.Grants,
		Buckets:        buckets(c),
		Confirm:        confirm(c),
		App:            app,
		Bearer:         signing.bearer,
		OwnSignIn:      c.Application == nil && !c.LabelStudio.SignIn.Accounts(),
		Observer:       c.LabelStudio.SignIn == config.SignInObserve,
		AppCookies:     s.pages.AppCookies,
		APIClients:     c.LabelStudio.APIClients == config.APIClientsPass,
		Workloads:      workloads,
		Administrators: c.LabelStudio.Administrators,
		Cache:          s.pages.Cache,
		Signer:         &presign.Signer{Now: o.Now, Expires: c.Presign.Expires},
		SignHeaders:    c.Presign.ByHeader,
		Delivery:       c.Delivery,
		Shadow:         c.Mode == config.Shadow,
		Deadlines:      decision.DefaultDeadlines(),
		Now:            o.Now,
		Sinks:          s.sinks(),
	}
	return d, forApplication(d, c)
}

// service makes what answers the pages of our own, with the sessions and the
// credentials that a login begins.
func (s *Server) service(c *config.Config, o Options, signIn func(context.Context, saml.Principal) (int64, error)) *login.Service {
	return &login.Service{
		PublicURL:  c.PublicURL.String(),
		ACSPath:    c.ACSPath,
		IdPs:       s.loginIdPs(),
		Observed:   s.observed(c),
		Contact:    c.Contact,
		AppCookies: appCookies(c),
		Sealer:     s.sealer,
		Used:       s.kept.used,
		Sessions: &session.Manager{
			Store: s.kept.store, Shared: s.kept.shared, For: s.kept.of, IdPs: s.idpNames(), Sealer: s.sealer, Now: o.Now, Rand: o.Rand,
			Idle: c.Session.Idle, Absolute: c.Session.Absolute, PerPerson: c.Session.PerPerson, MostOpened: openedSessions(c.State.MiB),
		},
		Cache:     credcache.New(s.kept.store, s.sealer, opened(c.State.MiB), o.Now),
		Grants:    c.Grants,
		Exchanger: s.exchangers(c),
		SignIn:    signIn,
		Started:   s.kept.since,
		Now:       o.Now,
		Rand:      o.Rand,
		Verifying: make(chan struct{}, verifying),
		Signing:   login.NewTurns(max(1, runtime.GOMAXPROCS(0)/2), startsWaiting),
	}
}

// forApplication lets the decider read an application other than Label Studio.
func forApplication(d *decision.Decider, c *config.Config) error {
	if c.Application == nil {
		return nil
	}
	reader, err := application.NewReader(c.Application.Fetches...)
	if err != nil {
		return err
	}
	d.Read, d.LocationHeader = reader.Read, c.Application.LocationHeader
	return nil
}

// appCookies are those by which the application knows people, and which
// Rolepass takes from it.
func appCookies(c *config.Config) []string {
	if c.Application != nil {
		return nil
	}
	return []string{c.LabelStudio.SessionCookie}
}

// hosts are the Host values of the public address, with the scheme's own port
// and without it.
func hosts(public *url.URL) []string {
	host := strings.ToLower(public.Host)
	port := map[string]string{"http": ":80", "https": ":443"}[public.Scheme]
	if bare, has := strings.CutSuffix(host, port); has {
		return []string{bare, host}
	}
	if public.Port() == "" {
		return []string{host, host + port}
	}
	return []string{host}
}

func buckets(c *config.Config) map[string]presign.Bucket {
	all := map[string]presign.Bucket{}
	for _, bucket := range c.Buckets {
		all[bucket.Name] = bucket.Bucket
	}
	return all
}

func confirm(c *config.Config) decision.Confirm {
	switch c.LabelStudio.Confirm {
	case config.ConfirmNone:
		return decision.ConfirmNone
	case config.ConfirmPermission:
		return decision.ConfirmPermission
	}
	return decision.ConfirmURI
}

// exchangers gives the token service of a role.
func (s *Server) exchangers(c *config.Config) func(string) *credcache.Exchanger {
	byName := map[string]*credcache.Exchanger{}
	for _, one := range c.STS {
		byName[one.Name] = &credcache.Exchanger{Name: one.Name, STS: stsClient(one, aws.AnonymousCredentials{}), Duration: one.Duration, Called: s.stsCalled(one.Name)}
	}
	return func(roleARN string) *credcache.Exchanger { return byName[c.RoleSTS[roleARN]] }
}

// stsCalled counts the outcome of a call, and raises an alarm where STS read
// another assertion than we did.
func (s *Server) stsCalled(name string) func(string) {
	return func(outcome string) {
		s.metrics.STSCalled(outcome)
		if outcome == credcache.Disagreed {
			s.log.Error("STS and Rolepass read one assertion differently: the login was dropped; treat this as an attack until it is explained", "sts", name)
		}
	}
}

// stsClient calls one regional endpoint. AssumeRoleWithSAML is not signed: the
// assertion is the credential, so nothing of the machine's own is looked up, and
// a redirect is an error: what answers elsewhere is not STS.
func stsClient(one config.STS, as aws.CredentialsProvider) *sts.Client {
	return sts.New(sts.Options{
		Region:           one.Region,
		BaseEndpoint:     endpoint(one.Endpoint),
		Credentials:      as,
		RetryMaxAttempts: 3,
		HTTPClient:       &http.Client{Timeout: 5 * time.Second, CheckRedirect: stay},
	})
}

func endpoint(address string) *string {
	if address == "" {
		return nil
	}
	return aws.String(address)
}

func (s *Server) idpNames() (all []string) {
	for _, one := range s.idps {
		all = append(all, one.config.Name)
	}
	return all
}

// loginIdPs are the IdPs as package login asks for them.
func (s *Server) loginIdPs() []login.IdP {
	var all []login.IdP
	for _, one := range s.idps {
		all = append(all, login.IdP{Name: one.config.Name, SP: one.sp.Load, Domains: one.config.Domains})
	}
	return all
}

// observed are the application's own consumer services: the IdP's service
// provider is then the application, at its own address.
func (s *Server) observed(c *config.Config) map[string]login.Observed {
	all := map[string]login.Observed{}
	for _, acs := range c.LabelStudio.ACS {
		for _, one := range s.idps {
			if one.config.Name != acs.IdP {
				continue
			}
			theirs := func() *saml.ServiceProvider {
				sp := *one.sp.Load()
				sp.ACS, sp.SLO = c.PublicURL.String()+acs.Path, ""
				return &sp
			}
			all[acs.Path] = login.Observed{IdP: login.IdP{Name: acs.IdP, SP: theirs}, Organization: acs.Organization}
		}
	}
	return all
}

// wholePlace says that a grant is scoped by more than projects.
func wholePlace(g grants.Grant) bool {
	return len(g.Scope.Organizations) > 0 || len(g.Scope.Workspaces) > 0
}
