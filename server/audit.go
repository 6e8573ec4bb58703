package server

import (
	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/state"
	"github.com/rolepass/rolepass/telemetry"
)

// openAudit opens the audit under a key of its own: hashes of objects compare
// from one start to the next, as long as the newest key stays.
func openAudit(c *config.Config, o Options, ring *state.Keyring, metrics *telemetry.Metrics) (*telemetry.Audit, error) {
	return telemetry.OpenAudit(c.Audit, telemetry.AuditOptions{
		Key: ring.Derive("audit")[0], Lost: metrics.AuditLost, Log: o.Log, Now: o.Now,
	})
}
