package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/state"
	"github.com/rolepass/rolepass/telemetry"
)

// auditing is the purpose of the keys that hash objects.
const auditing = "audit"

// Audited is the hash of an object in audits that were begun under a key.
type Audited struct{ Key, Hash string }

// AuditedAs gives the hashes of an object, under each key there is, the newest
// first: an audit is under the one that was the newest when Rolepass started.
func AuditedAs(c *config.Config, uri string) ([]Audited, error) {
	ring, err := state.LoadKeyring(c.Keys)
	if err != nil {
		return nil, err
	}
	var all []Audited
	for i, key := range ring.Derive(auditing) {
		all = append(all, Audited{ring.Names()[i], telemetry.ObjectHash(key, uri)})
	}
	return all, nil
}

// openAudit opens the audit under a key of its own: hashes of objects compare
// from one start to the next, as long as the newest key stays.
func openAudit(c *config.Config, o Options, ring *state.Keyring, metrics *telemetry.Metrics) (*telemetry.Journal, error) {
	j, err := telemetry.OpenAudit(c.Audit, telemetry.AuditOptions{Key: ring.Derive(auditing)[0], JournalOptions: journal(o, metrics)})
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	return j, nil
}

func journal(o Options, metrics *telemetry.Metrics) telemetry.JournalOptions {
	return telemetry.JournalOptions{Lost: metrics.AuditLost, Log: o.Log, Now: o.Now}
}

// openRecord opens the record for `rolepass replay`; nil where none is wanted.
func openRecord(c *config.Config, o Options, metrics *telemetry.Metrics) (*telemetry.Journal, error) {
	if c.Record.File == "" {
		return nil, nil
	}
	options := telemetry.RecorderOptions{Keys: c.Record.Keys, JournalOptions: journal(o, metrics)}
	for _, g := range c.GrantList {
		options.Prefixes = append(options.Prefixes, g.Read...)
	}
	j, err := telemetry.OpenRecorder(c.Record.File, options)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	return j, nil
}

// openLogs opens all that decisions are written to, or nothing.
func (s *Server) openLogs(ctx context.Context, c *config.Config, o Options, ring *state.Keyring) (err error) {
	if s.audit, err = openAudit(c, o, ring, s.metrics); err != nil {
		return err
	}
	if s.record, err = openRecord(c, o, s.metrics); err == nil {
		s.traces, err = openTraces(ctx, c, o, ring, s.metrics)
	}
	if err != nil {
		return errors.Join(err, s.closeLogs(ctx))
	}
	return nil
}

// sinks are told of every decision.
func (s *Server) sinks() []decision.Sink {
	all := []decision.Sink{s.audit.Sink, s.metrics.Sink}
	if s.record != nil {
		all = append(all, s.record.Sink)
	}
	if s.traces != nil {
		all = append(all, s.traces.Sink)
	}
	return all
}

// closeLogs writes what audit and record still hold. That the collector does
// not take the last spans is no error: they are counted, and the log has said so.
func (s *Server) closeLogs(ctx context.Context) error {
	err := s.audit.Close(ctx)
	if s.record != nil {
		err = errors.Join(err, s.record.Close(ctx))
	}
	if s.traces != nil {
		ctx, cancel := context.WithTimeout(ctx, lastSpans)
		defer cancel()
		_ = s.traces.Close(ctx)
	}
	return err
}
