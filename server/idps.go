package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/saml"
)

const (
	// largestMetadata bounds a metadata document.
	largestMetadata = 4 << 20
	metadataTimeout = 10 * time.Second
	// endsSoon is how long before its end the log reminds of it, at the start and
	// at every refresh.
	endsSoon = 14 * 24 * time.Hour
)

// idp is an identity provider with the service provider of the day: its
// metadata may be replaced while logins go on.
type idp struct {
	config config.IdP
	entity string
	acs    string
	slo    string
	keys   []*saml.SigningKey
	now    func() time.Time
	rand   io.Reader
	sp     atomic.Pointer[saml.ServiceProvider]
}

func loadIdPs(ctx context.Context, c *config.Config, o Options) ([]*idp, error) {
	var all []*idp
	var problems []error
	var keys []*saml.SigningKey
	if c.SAMLKeys != "" {
		var err error
		if keys, err = saml.LoadSigningKeys(c.SAMLKeys); err != nil {
			return nil, err
		}
	}
	for _, one := range c.IdPs {
		i := &idp{config: one, entity: c.EntityID, acs: c.ACS(), slo: c.PublicURL.String() + login.SLOPath, keys: keys, now: o.Now, rand: o.Rand}
		if err := i.load(ctx); err != nil {
			problems = append(problems, err)
		}
		all = append(all, i)
	}
	return all, errors.Join(problems...)
}

// load reads the metadata and puts it to use.
func (i *idp) load(ctx context.Context) error {
	document, err := i.document(ctx)
	if err != nil {
		return fmt.Errorf("reading the metadata of IdP %s: %w", i.config.Name, err)
	}
	metadata, err := saml.ParseMetadata(document)
	if err != nil {
		return fmt.Errorf("reading the metadata of IdP %s: %w", i.config.Name, err)
	}
	if before := i.sp.Load(); before != nil {
		if err := i.succeeds(before.IdP.Metadata, metadata); err != nil {
			return err
		}
	}
	i.sp.Store(&saml.ServiceProvider{
		EntityID: i.entity, ACS: i.acs, SLO: i.slo, Keys: i.keys, Now: i.now, Rand: i.rand, Decryption: i.config.Decryption,
		PostRequests: i.config.PostRequests, AuthnContext: i.config.AuthnContext,
		IdP: saml.IdP{
			Name: i.config.Name, Metadata: metadata, Audience: i.config.Audience, Providers: i.config.Providers,
			Email: i.config.Email, FirstName: i.config.FirstName, LastName: i.config.LastName,
		},
	})
	return nil
}

// succeeds says what is wrong with metadata that would take the place of what
// is in use.
func (i *idp) succeeds(before, now *saml.Metadata) error {
	switch {
	case before.EntityID != now.EntityID:
		return fmt.Errorf("the metadata of IdP %s is now that of another entity: if that is meant, restart Rolepass", i.config.Name)
	case !now.ValidUntil.IsZero() && !i.now().Before(now.ValidUntil):
		return fmt.Errorf("the metadata of IdP %s that was fetched was valid until %s only: let the IdP publish it anew", i.config.Name, now.ValidUntil.Format(time.RFC3339))
	}
	return nil
}

func (i *idp) document(ctx context.Context) ([]byte, error) {
	if i.config.MetadataURL == nil {
		return os.ReadFile(i.config.MetadataFile)
	}
	ctx, cancel := context.WithTimeout(ctx, metadataTimeout)
	defer cancel()
	return fetchMetadata(ctx, i.config.MetadataURL)
}

// fetchMetadata reads what is believed for a day of logins, so it comes from the
// address that was configured and from no other.
func fetchMetadata(ctx context.Context, from *url.URL) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from.String(), nil)
	if err != nil {
		return nil, err
	}
	response, err := (&http.Client{CheckRedirect: stay}).Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s: give the address of the document itself", from.Redacted(), response.Status)
	}
	document, err := io.ReadAll(io.LimitReader(response.Body, largestMetadata+1))
	if err != nil {
		return nil, err
	}
	if len(document) > largestMetadata {
		return nil, fmt.Errorf("%s is larger than %d bytes", from.Redacted(), largestMetadata)
	}
	return document, nil
}

// refresh reads all metadata again from time to time. What cannot be read
// leaves the last that could.
func (s *Server) refresh(ctx context.Context) error {
	ticker := time.NewTicker(s.refreshEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			s.refreshOnce(ctx)
		}
	}
}

func (s *Server) refreshOnce(ctx context.Context) {
	for _, one := range s.idps {
		if err := one.load(ctx); err != nil {
			s.log.Warn("the IdP's metadata could not be refreshed: the last stays in use", "idp", one.config.Name, "error", err)
		}
		s.sayEnd(one)
	}
}

// sayEnd tells until when an IdP's metadata is good. An IdP whose certificate
// ends over a weekend ends every login with it.
func (s *Server) sayEnd(one *idp) {
	end, what := one.sp.Load().IdP.Metadata.Ends()
	s.metrics.IdPEnds(one.config.Name, end)
	left := end.Sub(one.now())
	if left > endsSoon {
		return
	}
	message := "the IdP's metadata ends soon, and logins with it: have the IdP publish it anew, and give it to IAM, too"
	if left <= 0 {
		message = "the IdP's metadata has ended, and every login is refused: have the IdP publish it anew, and give it to IAM, too"
	}
	s.log.Warn(message, "idp", one.config.Name, "end", end.UTC().Format(time.RFC3339), "what", what)
}

// ServiceProviders are what the IdPs of a configuration know Rolepass as, for
// looking at an assertion by hand.
func ServiceProviders(ctx context.Context, c *config.Config, now func() time.Time) ([]*saml.ServiceProvider, error) {
	idps, err := loadIdPs(ctx, c, Options{Now: now, Rand: rand.Reader})
	if err != nil {
		return nil, err
	}
	var all []*saml.ServiceProvider
	for _, one := range idps {
		all = append(all, one.sp.Load())
	}
	return all, nil
}
