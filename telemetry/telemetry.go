// Package telemetry tells operators what was decided: an audit record for each
// decision about data, a login or a refusal, metrics for all of them, and a
// trace of some.
//
//	audit, err := telemetry.OpenAudit("stdout", telemetry.AuditOptions{...})
//	metrics := telemetry.NewMetrics()
//	decider.Sinks = []decision.Sink{audit.Sink, metrics.Sink}
//
// What was passed to the application is counted and not audited: it keeps a log
// of its own. NewLog is the log of the service itself.
//
// Object keys are patient data: a record carries a keyed hash of the object,
// by which two records can be compared and from which no key can be read; a
// span carries the same hash, and of the person only the session's handle. No
// cookie, token, assertion or signed location ever comes here; the tests put
// recognisable ones into everything and look for them.
package telemetry
