package lint_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/rolepass/rolepass/envoy/lint"
)

func TestWhatIsNoConfigurationIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":             "",
		"a word":              "hello",
		"a list":              "- a\n- b\n",
		"no YAML":             "a: [",
		"rolepass.yaml":       "public_url: https://label.test\n",
		"a number for a list": `{"static_resources": 7}`,
		"a part of a dump":    `{"configs": []}`,
	} {
		if _, err := lint.Read([]byte(text)); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}

// Extensions that this program does not know are everywhere; none may stop it
// or be passed over.
func TestUnknownExtensionsAreNamed(t *testing.T) {
	for name, e := range map[string]edit{
		"an HTTP filter":          swap("envoy.extensions.filters.http.header_mutation.v3.HeaderMutation\n", "example.Unknown\n              fields: [{deep: {'@type': type.googleapis.com/example.Deeper}}]\n"),
		"an access log":           swap("type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog", "type.googleapis.com/example.Unknown"),
		"a transport socket":      swap("envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext", "example.Unknown"),
		"an early mutation":       swap("envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation", "example.Unknown"),
		"a route's setting":       swap("envoy.extensions.filters.http.custom_response.v3.CustomResponse\n", "example.Unknown\n"),
		"ext_authz of a route":    swap("envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute", "example.Unknown"),
		"a cluster's certificate": in("clusters:", swap("envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext", "example.Unknown")),
		"a network filter":        swap("- name: envoy.filters.network.http_connection_manager", "- name: other\n        typed_config: {'@type': type.googleapis.com/example.Unknown}\n      - name: envoy.filters.network.http_connection_manager"),
	} {
		named := false
		for _, f := range findings(t, e.of(t, text(t, nil)), nil) {
			named = named || f.Rule.Code == "RP001" && strings.Contains(f.What, "example.Unknown")
		}
		if !named {
			t.Errorf("%s: nothing says that it could not be read", name)
		}
	}
}

// A dump has the parts apart, and routes that came later by name.
func TestADumpIsReadLikeABootstrap(t *testing.T) {
	if found := findings(t, dump(t, text(t, nil)), nil); len(found) != 0 {
		t.Errorf("what is generated, dumped: %+v", found)
	}
	broken := swap("clear_route_cache: true", "clear_route_cache: false").of(t, text(t, nil))
	found := findings(t, dump(t, broken), nil)
	if len(found) != 1 || found[0].Rule.Code != "RP115" {
		t.Errorf("found %+v, want RP115 alone", found)
	}
	disabled := swap("disable_request_body_buffering: true", "context_extensions: {}").of(t, text(t, nil))
	if found := findings(t, dump(t, disabled), nil); len(found) != 1 || found[0].Rule.Code != "RP133" {
		t.Errorf("in routes from elsewhere: found %+v, want RP133 alone", found)
	}
}

// dump is what Envoy's administration address would answer, with listeners,
// clusters and routes that it got by xDS.
func dump(t *testing.T, bootstrap string) string {
	t.Helper()
	text, err := yaml.YAMLToJSON([]byte(bootstrap))
	if err != nil {
		t.Fatal(err)
	}
	var b map[string]any
	if err := json.Unmarshal(text, &b); err != nil {
		t.Fatal(err)
	}
	static := b["static_resources"].(map[string]any)
	delete(b, "static_resources")
	listener := static["listeners"].([]any)[0].(map[string]any)
	manager := listener["filter_chains"].([]any)[0].(map[string]any)["filters"].([]any)[0].(map[string]any)["typed_config"].(map[string]any)
	routes := manager["route_config"].(map[string]any)
	delete(manager, "route_config")
	manager["rds"] = map[string]any{"route_config_name": "edge"}
	var clusters []any
	for _, c := range static["clusters"].([]any) {
		clusters = append(clusters, map[string]any{"cluster": typed("envoy.config.cluster.v3.Cluster", c)})
	}
	out, err := json.Marshal(map[string]any{"configs": []any{
		map[string]any{"@type": "type.googleapis.com/envoy.admin.v3.BootstrapConfigDump", "bootstrap": b},
		map[string]any{"@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump", "dynamic_active_clusters": clusters},
		map[string]any{"@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump", "dynamic_listeners": []any{
			map[string]any{"name": "edge", "active_state": map[string]any{"listener": typed("envoy.config.listener.v3.Listener", listener)}}}},
		map[string]any{"@type": "type.googleapis.com/envoy.admin.v3.RoutesConfigDump", "dynamic_route_configs": []any{
			map[string]any{"route_config": typed("envoy.config.route.v3.RouteConfiguration", routes)}}},
		map[string]any{"@type": "type.googleapis.com/envoy.admin.v3.SecretsConfigDump"},
		map[string]any{"@type": "type.googleapis.com/example.SectionOfTomorrow", "things": []any{1, 2}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func typed(name string, m any) map[string]any {
	m.(map[string]any)["@type"] = "type.googleapis.com/" + name
	return m.(map[string]any)
}

var absurd = flag.Int("absurd", 60, "how many configurations are damaged at random")

// Parts are missing, empty or of another kind: reading and linting end, and
// not in a panic.
func TestAbsurdConfigurationsEnd(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	read := 0
	for range *absurd {
		var tree any
		if err := json.Unmarshal([]byte(dump(t, text(t, nil))), &tree); err != nil {
			t.Fatal(err)
		}
		for range 1 + random.IntN(3) {
			damage(tree, random)
		}
		damaged, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		subject, err := lint.Read(damaged)
		if err != nil {
			continue
		}
		read++
		for _, f := range lint.Find(subject, subject.Bootstrap) {
			_ = fmt.Sprint(f)
		}
	}
	if read < *absurd/4 {
		t.Errorf("only %d of %d could be read: this damages too much to prove anything", read, *absurd)
	}
}

// damage changes one node somewhere below.
func damage(node any, random *rand.Rand) {
	switch node := node.(type) {
	case map[string]any:
		keys := slices.Sorted(maps.Keys(node))
		if len(keys) == 0 {
			return
		}
		key := keys[random.IntN(len(keys))]
		if random.IntN(12) > 0 {
			damage(node[key], random)
			return
		}
		instead := []any{nil, map[string]any{}, []any{}, "", 0, "type.googleapis.com/example.Unknown"}
		if i := random.IntN(len(instead) + 1); i < len(instead) {
			node[key] = instead[i]
		} else {
			delete(node, key)
		}
	case []any:
		if len(node) > 0 {
			damage(node[random.IntN(len(node))], random)
		}
	}
}
