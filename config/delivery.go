package config

import (
	"time"

	"github.com/rolepass/rolepass/grants"
)

// deliveries are the words for the ways of delivery.
var deliveries = map[string]grants.Delivery{"route": grants.ByRoute, "redirect": grants.ByRedirect, "header": grants.ByHeader}

// delivery reads a way of delivery; AsDeployed if there is none.
func (s section) delivery(name string) grants.Delivery {
	if !s.get(name).given() {
		return grants.AsDeployed
	}
	return deliveries[s.word(name, "route", "redirect", "header")]
}

// presign reads how the locations that are delivered are signed.
func (s section) presign(c *Config) {
	p := s.section(s.get("presign"), "expires", "by")
	c.Presign = Presign{
		Expires:  p.duration("expires", time.Minute, 15*time.Second, time.Hour),
		ByHeader: p.word("by", "query", "header") == "header",
	}
}

// compareDelivery looks at each way of delivery that the file names.
func (s section) compareDelivery(c *Config) {
	told := false
	look := func(at place, way grants.Delivery) {
		switch {
		case way == grants.ByHeader && c.LabelStudio.URL != nil:
			s.problem(at, "Label Studio reads no location from a request header and would serve the object with its own key: write route or redirect")
		case way == grants.ByRedirect && !told:
			told = true
			s.warnOfRedirect(c, at)
		}
	}
	look(s.at("delivery"), c.Delivery)
	for i, g := range c.GrantList {
		look(s.item("grants", i), g.Deliver)
	}
}

// workerKeeps is how long Label Studio's service worker keeps a redirect when
// S3's answer does not say how long, as an error does not.
const workerKeeps = 50 * time.Second

func (s section) warnOfRedirect(c *Config, at place) {
	if c.PublicURL != nil {
		s.warn(at, "with redirect, browsers fetch from the buckets themselves: each needs a CORS rule for the origin %s, and must be reachable by them (docs/delivery.md)", c.PublicURL.String())
	}
	if c.LabelStudio.URL != nil && c.Presign.Expires < workerKeeps+10*time.Second {
		s.warn(s.at("presign.expires"), "Label Studio's service worker keeps a redirect to an error of S3 for %s, and the signed location ends before: give presign.expires 60s or more", short(workerKeeps))
	}
}
