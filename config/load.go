package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/rolepass/rolepass/grants"
)

// Load reads a configuration file for what the caller needs. The error is
// Problems when the file was read and something in it is wrong.
func Load(path string, needs Needs) (*Config, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, text, needs)
}

// readFile reads the configuration.
func readFile(name string) ([]byte, error) {
	const most = 1 << 20
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	if len(text) > most {
		return nil, fmt.Errorf("reading the configuration: %s has %d bytes, more than any configuration needs", name, len(text))
	}
	return text, nil
}

// Parse reads the text of a configuration. The name is for messages, and its
// directory is where relative names of files begin.
func Parse(name string, text []byte, needs Needs) (*Config, error) {
	dir, err := filepath.Abs(filepath.Dir(name))
	if err != nil {
		return nil, fmt.Errorf("finding the configuration's directory: %w", err)
	}
	r := &reader{file: name, dir: dir, needs: needs, lines: map[string]int{}}
	c := r.config(r.document(text))
	sortByLine(r.problems)
	sortByLine(r.warnings)
	if len(r.problems) > 0 {
		return nil, r.problems
	}
	c.Warnings, c.read = r.warnings, r
	return c, nil
}

func sortByLine(list Problems) {
	slices.SortStableFunc(list, func(a, b Problem) int { return a.Line - b.Line })
}

// lines are the places of what is compared across sections.
type lines struct {
	// providers are all provider ARNs.
	providers map[string]place
	// domains are all e-mail domains.
	domains map[string]place
	// reads are the prefixes of each grant, without those that are wrong.
	reads [][]place
}

// config reads the whole document.
func (r *reader) config(top value) *Config {
	c := &Config{}
	if !top.given() {
		return c
	}
	s := r.section(top, "public_url", "acs_path", "entity_id", "listen", "admin", "admin_socket", "monitoring", "check_codec", "check_tls", "keys", "saml_keys", "idps", "sts", "buckets", "grants", "mode",
		"delivery", "label_studio", "application", "workloads", "session", "state", "presign", "audit", "record", "traces", "envoy", "contact")
	l := &lines{providers: map[string]place{}, domains: map[string]place{}}
	s.addresses(c)
	s.mode(c)
	c.CheckCodec = CheckCodec(s.word("check_codec", string(CodecPlain), string(CodecScan)))
	s.idps(c, l)
	s.tokenServices(c)
	s.buckets(c)
	s.grantList(c, l)
	if c.Delivery = s.delivery("delivery"); c.Delivery == grants.AsDeployed {
		c.Delivery = grants.ByRoute
	}
	s.labelStudio(c)
	s.application(c)
	s.workloads(c)
	s.session(c)
	s.state(c)
	s.presign(c)
	s.audit(c)
	s.record(c)
	s.traces(c)
	s.envoy(c)
	c.Contact = s.text(s.get("contact"))
	s.compare(c, l)
	s.files(c)
	return c
}

// whole says whether every section must be there.
func (r *reader) whole() bool {
	return r.needs == Everything || r.needs == ForEnvoy || r.needs == ForMesh || r.needs == ForReplay
}
