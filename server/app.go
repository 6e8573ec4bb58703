package server

import (
	"crypto/tls"
	"net/http"
	"slices"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/labelstudio/client"
	"github.com/rolepass/rolepass/telemetry"
)

// appClient asks Label Studio.
func appClient(c *config.Config, o Options, metrics *telemetry.Metrics) (*client.Client, error) {
	toApp, err := appHTTP(c)
	if err != nil {
		return nil, err
	}
	app := client.New(c.AppURL(), toApp, o.Now)
	app.ByProject = c.LabelStudio.SignIn != config.SignInObserve // in Enterprise tasks are assigned
	app.MaxBytes = answers(c.State.MiB)
	app.Asked = metrics.AppAsked
	app.WholePlace = slices.ContainsFunc(c.GrantList, wholePlace) || slices.ContainsFunc(c.LabelStudio.ACS, func(acs config.ObservedACS) bool { return acs.Organization != 0 })
	return app, nil
}

// appHTTP keeps connections to the application open for a page's worth of
// questions. It goes through the configured proxy or none: what it carries are
// people's bearers, which no variable of the environment may lead elsewhere.
func appHTTP(c *config.Config) (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 32
	transport.Proxy = nil
	if c.LabelStudio.Proxy != nil {
		transport.Proxy = http.ProxyURL(c.LabelStudio.Proxy)
	}
	if c.LabelStudio.CA != "" {
		pool, err := authorities("label_studio.ca", c.LabelStudio.CA)
		if err != nil {
			return nil, err
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{Transport: transport}, nil
}
