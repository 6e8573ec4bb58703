package telemetry

import (
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/rolepass/rolepass/decision"
)

// Metrics counts. Its labels have few values, all written in the source or, for
// IdPs, their names in the configuration: no person, session, object or address
// is ever one.
type Metrics struct {
	registry  *prometheus.Registry
	decisions *prometheus.CounterVec
	unforced  *prometheus.CounterVec
	shadow    prometheus.Gauge
	seconds   *prometheus.HistogramVec
	sts       *prometheus.CounterVec
	questions *prometheus.CounterVec
	lost      prometheus.Counter
	spans     prometheus.Counter
	state     prometheus.Counter
	ends      *prometheus.GaugeVec
}

// buckets reach from an answer out of memory to the longest deadline, in
// seconds.
var buckets = []float64{.00001, .00003, .0001, .0003, .001, .003, .01, .03, .1, .3, 1, 3, 10}

// NewMetrics makes a registry of its own.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rolepass_decisions_total", Help: "Decisions, by kind (pass, open, stream, redirect, header, page, refuse) and, for a no, its code; for a page, which."}, []string{"kind", "code"}),
		unforced: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rolepass_shadow_decisions_total", Help: "Decisions that were made in shadow and not enforced, as rolepass_decisions_total counts the others."}, []string{"kind", "code"}),
		shadow: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "rolepass_shadow", Help: "1 in shadow mode, where nothing is enforced; else 0."}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "rolepass_decision_seconds", Help: "How long decisions took, by kind.", Buckets: buckets}, []string{"kind"}),
		sts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rolepass_sts_calls_total", Help: "Calls of AssumeRoleWithSAML, by outcome: ok, unavailable, or the error code of STS; and disagreed, where STS read an assertion differently from Rolepass: above zero, somebody should be woken."}, []string{"outcome"}),
		questions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rolepass_app_questions_total", Help: "Questions to the application, by kind."}, []string{"kind"}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "rolepass_audit_lost_total", Help: "Audit records that could not be written. Above zero, somebody should look."}),
		spans: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "rolepass_spans_lost_total", Help: "Spans of traces that the collector did not take, or not in time. No decision waits for it."}),
		state: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "rolepass_state_failures_total", Help: "Calls of the state's server that failed, with state.kind valkey: as a rule somebody was refused for it."}),
		ends: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rolepass_idp_ends_timestamp_seconds", Help: "When nobody can sign in at an IdP any more unless its metadata is replaced: its validUntil, or the end of its last signing certificate."}, []string{"idp"}),
	}
	m.registry.MustRegister(m.decisions, m.unforced, m.shadow, m.seconds, m.sts, m.questions, m.lost, m.spans, m.state, m.ends,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Sink counts a decision.
func (m *Metrics) Sink(e *decision.Event) {
	kind := e.Kind.String()
	if e.Shadow {
		m.unforced.WithLabelValues(kind, code(e)).Inc()
	} else {
		m.decisions.WithLabelValues(kind, code(e)).Inc()
	}
	m.seconds.WithLabelValues(kind).Observe(e.Took.Seconds())
}

// code is what a decision is counted and audited under.
func code(e *decision.Event) string {
	switch {
	case e.Refusal != nil:
		return string(e.Refusal.Code)
	case e.Page != "":
		return e.Page
	}
	return e.Kind.String()
}

// InShadow says that nothing is enforced.
func (m *Metrics) InShadow() { m.shadow.Set(1) }

// IdPEnds says until when an IdP's metadata is good.
func (m *Metrics) IdPEnds(idp string, end time.Time) {
	m.ends.WithLabelValues(idp).Set(float64(end.Unix()))
}

// STSCalled counts one call of STS. Its error codes are AWS's own, a closed
// set; anything that does not look like one is counted as "other".
func (m *Metrics) STSCalled(outcome string) { m.sts.WithLabelValues(plain(outcome)).Inc() }

// AppAsked counts one question to the application.
func (m *Metrics) AppAsked(kind string) { m.questions.WithLabelValues(kind).Inc() }

// StateFailed counts a call of the state's server that failed.
func (m *Metrics) StateFailed() { m.state.Inc() }

// AuditLost counts audit records that were not written.
func (m *Metrics) AuditLost(records int) { m.lost.Add(float64(records)) }

// SpansLost counts spans that were not sent.
func (m *Metrics) SpansLost(spans int) { m.spans.Add(float64(spans)) }

// outcomes are ours, and the errors of AssumeRoleWithSAML (AWS STS API
// Reference, with its common errors).
var outcomes = []string{
	"ok", "unavailable", "throttled", "disagreed",
	"ExpiredTokenException", "IDPRejectedClaim", "InvalidIdentityToken", "MalformedPolicyDocument", "PackedPolicyTooLarge", "RegionDisabledException",
	"AccessDenied", "ValidationError", "RequestExpired",
}

// plain keeps a peer from filling the registry with whatever it answers.
func plain(outcome string) string {
	if slices.Contains(outcomes, outcome) {
		return outcome
	}
	return "other"
}

// readers is how many may read the metrics at once. Counting sessions locks their
// list, and whoever signs in waits for it.
const readers = 4

// Handler shows the metrics in the Prometheus text format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: readers})
}
