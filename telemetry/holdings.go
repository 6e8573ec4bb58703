package telemetry

import "github.com/prometheus/client_golang/prometheus"

// Holdings is what a server holds in memory, counted when somebody reads the
// metrics. Where state is kept on a server, State and Sessions are nil: that has
// metrics of its own.
type Holdings struct {
	// State is the memory that sealed records take, of StateMax, and Evicted
	// how many records left before their end because there was no room.
	State    func() (bytes, evicted int)
	StateMax int
	// Sessions is how many there are, and Waiting how many logins wait for STS.
	Sessions, Waiting func() int
}

// Holds exports what a server holds.
func (m *Metrics) Holds(h Holdings) {
	gauge := func(name, help string, value func() int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(value()) })
	}
	m.registry.MustRegister(gauge("rolepass_logins_waiting", "Logins that STS did not answer, and that wait to be tried again.", h.Waiting))
	if h.State == nil {
		return
	}
	m.registry.MustRegister(
		gauge("rolepass_state_bytes", "Memory that sealed sessions and credentials take, as it counts against state.mib.", func() int { bytes, _ := h.State(); return bytes }),
		gauge("rolepass_state_max_bytes", "Memory that they may take: state.mib.", func() int { return h.StateMax }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "rolepass_state_evicted_total", Help: "Records of sessions and credentials that left before their end because there was no room. Above zero, people are signed out: raise state.mib."},
			func() float64 { _, evicted := h.State(); return float64(evicted) }),
		gauge("rolepass_sessions", "Sessions that began in this process and have not ended.", h.Sessions),
	)
}
