package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/labelstudio"
	"github.com/rolepass/rolepass/telemetry"
)

const (
	// doctorPatience is how long one may take that is looked at.
	doctorPatience = 10 * time.Second
	// clockApart is how far two clocks may be from each other. Assertions are
	// refused at three minutes at the latest, S3's signatures at fifteen.
	clockApart = 30 * time.Second
)

// Seen is what became of one thing that others must do for Rolepass.
type Seen struct {
	// Key is the configuration's, such as buckets[0].
	Key string
	// Note is what was found, where it is as it should be.
	Note string
	// Err is what is wrong with it, and what to do.
	Err error
}

// Doctor asks everybody once whom Rolepass and Envoy will ask, all at the same
// time, without any credential: whether they answer from this machine, and whether
// they are what the configuration says. It changes nothing. Only the state's server
// is asked with its password, and gets one record, which is deleted at once.
func Doctor(ctx context.Context, c *config.Config, now func() time.Time) []Seen {
	d := &doctor{config: c, now: now, http: strictHTTP(http.ProxyFromEnvironment), direct: strictHTTP(nil)}
	pool, _ := authorities("envoy.ca", c.Envoy.CA) // which may be on another machine; nil: this one's own
	d.direct.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	var looks []look
	for i := range c.IdPs {
		looks = append(looks, look{fmt.Sprintf("idps[%d].metadata", i), func(ctx context.Context) (string, error) { return d.idp(ctx, c.IdPs[i]) }})
	}
	for i := range c.STS {
		looks = append(looks, look{fmt.Sprintf("sts[%d]", i), func(ctx context.Context) (string, error) { return d.sts(ctx, c.STS[i]) }})
	}
	for i := range c.Buckets {
		looks = append(looks, look{fmt.Sprintf("buckets[%d]", i), func(ctx context.Context) (string, error) { return d.bucket(ctx, c.Buckets[i]) }})
	}
	if c.Application == nil {
		looks = append(looks, look{"label_studio.url", d.labelStudio})
	}
	if c.State.Kind == config.StateValkey {
		looks = append(looks, look{"state.address", d.state})
	}
	return together(ctx, looks)
}

// look is one thing that is looked at.
type look struct {
	key string
	at  func(context.Context) (string, error)
}

func together(ctx context.Context, looks []look) []Seen {
	ctx, cancel := context.WithTimeout(ctx, doctorPatience)
	defer cancel()
	all := make([]Seen, len(looks))
	var group sync.WaitGroup
	for i, one := range looks {
		group.Go(func() {
			note, err := one.at(ctx)
			all[i] = Seen{one.key, note, err}
		})
	}
	group.Wait()
	return all
}

type doctor struct {
	config *config.Config
	now    func() time.Time
	http   *http.Client // as Rolepass asks
	direct *http.Client // as Envoy does, which knows no proxy
}

func strictHTTP(proxy func(*http.Request) (*url.URL, error)) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = proxy
	return &http.Client{Transport: transport, CheckRedirect: stay}
}

func (d *doctor) idp(ctx context.Context, one config.IdP) (string, error) {
	i := &idp{config: one, now: d.now}
	if err := i.load(ctx); err != nil {
		return "", err
	}
	m := i.sp.Load().IdP.Metadata
	end, what := m.Ends()
	if !d.now().Before(end) {
		return "", fmt.Errorf("%s ended at %s, and every login is refused: have the IdP publish it anew, and give it to IAM, too", what, end.UTC().Format(time.RFC3339))
	}
	return fmt.Sprintf("is the metadata of %s; %s ends at %s", m.EntityID, what, end.UTC().Format(time.RFC3339)), nil
}

// sts wants any answer at all: STS itself answers a question that has no action
// with a redirect to its documentation.
func (d *doctor) sts(ctx context.Context, one config.STS) (string, error) {
	address := one.Endpoint
	if address == "" {
		resolved, err := sts.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, sts.EndpointParameters{Region: aws.String(one.Region)})
		if err != nil {
			return "", err
		}
		address = resolved.URI.String()
	}
	answer, err := d.ask(ctx, d.http, http.MethodGet, address)
	if err != nil {
		return "", fmt.Errorf("nobody can sign in without it: look at the region, and at DNS, routes and VPC endpoints: %w", err)
	}
	return address + " answers", d.clock(answer)
}

// clock compares ours with an answer's, to a second.
func (d *doctor) clock(answer *http.Response) error {
	theirs, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil {
		return nil // none was said
	}
	if apart := d.now().Sub(theirs).Abs(); apart > clockApart {
		return fmt.Errorf("its clock and this machine's are %s apart, and assertions and signatures are refused for that: set the clocks by NTP", apart.Round(time.Second))
	}
	return nil
}

// bucket asks without a credential. AWS says no to that, and in which region the
// bucket is.
func (d *doctor) bucket(ctx context.Context, b config.Bucket) (string, error) {
	address := b.Scheme + "://" + b.Host + "/" + b.Name
	answer, err := d.ask(ctx, d.direct, http.MethodHead, address)
	if err != nil {
		return "", fmt.Errorf("it is asked from here, and by Envoy when an object is fetched: look at the endpoint, its certificate, DNS and routes: %w", err)
	}
	region := answer.Header.Get("X-Amz-Bucket-Region")
	switch {
	case region != "" && region != b.Region:
		return "", fmt.Errorf("the bucket is in %s, and signatures are for %s: write that region", printable(region), b.Region)
	case answer.StatusCode == http.StatusNotFound:
		return "", fmt.Errorf("there is no bucket %s at %s: look at its name, and at the region or endpoint", b.Name, b.Scheme+"://"+b.Host)
	case answer.StatusCode == http.StatusOK:
		return "", errors.New("anybody may list this bucket, without any credential: block public access to it")
	case answer.StatusCode != http.StatusForbidden && answer.StatusCode != http.StatusUnauthorized:
		return "", fmt.Errorf("%s answers %d to a question without credentials, which an S3 server answers with 403: is it one?", address, answer.StatusCode)
	}
	if region == "" {
		return address + " answers, and does not say whether there is such a bucket", d.clock(answer)
	}
	return address + " is there, in " + printable(region), d.clock(answer)
}

func (d *doctor) labelStudio(ctx context.Context) (string, error) {
	app, err := appClient(d.config, Options{Now: d.now}, telemetry.NewMetrics())
	if err != nil {
		return "", err
	}
	version, err := app.Version(ctx)
	if err != nil {
		if cause := errors.Unwrap(err); cause != nil {
			err = cause // the sentence is for the audit
		}
		return "", fmt.Errorf("%s does not answer as Label Studio does: look at its log, and whether this is its own address: %w", d.config.AppURL(), err)
	}
	if !slices.Contains(labelstudio.Tested(), version) {
		return "", fmt.Errorf("Label Studio %s was never tested with this Rolepass: use %v, or compare its routes with docs/label-studio.md", printable(version), labelstudio.Tested())
	}
	return "is Label Studio " + version, nil
}

// ask gives an answer without its body.
func (d *doctor) ask(ctx context.Context, by *http.Client, method, address string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, err
	}
	answer, err := by.Do(request)
	if err != nil {
		return nil, err
	}
	return answer, answer.Body.Close()
}
