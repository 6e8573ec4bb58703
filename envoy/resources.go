package envoy

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

// What the manifests for Kubernetes have in common: names, and how the parts of
// a bootstrap, with their comments, come into patches.

// resourceName is the name of every resource.
const resourceName = "rolepass"

// namePattern is a DNS label of Kubernetes (RFC 1123 §2.1).
var namePattern = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// secretPattern is a DNS subdomain, as names of Secrets are.
var secretPattern = regexp.MustCompile(`^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$`)

// Where things stand in a bootstrap of ours.
const (
	managerAt  = "$.'static_resources'.'listeners'[0].'filter_chains'[0].'filters'[0]"
	clustersAt = "$.'static_resources'.'clusters'"
)

func clusterAt(n int) string { return clustersAt + "[" + strconv.Itoa(n) + "]" }

func resource(version, kind, namespace string, spec yaml.MapSlice) yaml.MapSlice {
	return yaml.MapSlice{
		{Key: "apiVersion", Value: version}, {Key: "kind", Value: kind},
		{Key: "metadata", Value: yaml.MapSlice{{Key: "name", Value: resourceName}, {Key: "namespace", Value: namespace}}},
		{Key: "spec", Value: spec},
	}
}

// document is one resource, and the comments in it.
type document struct {
	resource yaml.MapSlice
	comments yaml.CommentMap
}

func manifest(preamble string, documents ...document) ([]byte, error) {
	out := []byte(preamble)
	for n, d := range documents {
		if n > 0 {
			out = append(out, "---\n"...)
		}
		text, err := yaml.MarshalWithOptions(d.resource, yaml.IndentSequence(false), yaml.UseLiteralStyleIfMultiline(true), yaml.WithComment(d.comments))
		if err != nil {
			return nil, fmt.Errorf("writing resources as YAML: %w", err)
		}
		out = append(out, text...)
	}
	return out, nil
}

// moved gives the comments of the bootstrap their places in patches. from is
// where each patch's value stands in the bootstrap, empty where nowhere; to is
// where it stands in the resource, with %d for the number of the patch.
func moved(comments yaml.CommentMap, from []string, to string) yaml.CommentMap {
	out := yaml.CommentMap{}
	for at, comment := range comments {
		for n, place := range from {
			if rest, ok := strings.CutPrefix(at, place); ok && place != "" && strings.HasPrefix(rest, ".") {
				out[fmt.Sprintf(to, n)+rest] = comment
			}
		}
	}
	return out
}

// node is what stands at a position that find could have given.
func node(tree any, at string) any {
	for _, step := range strings.Split(strings.TrimPrefix(at, "$."), ".") {
		key, index, listed := strings.Cut(strings.ReplaceAll(step, "'", ""), "[")
		object, _ := tree.(yaml.MapSlice)
		tree = nil
		for _, field := range object {
			if field.Key == key {
				tree = field.Value
			}
		}
		if listed {
			list, _ := tree.([]any)
			n, err := strconv.Atoi(strings.TrimSuffix(index, "]"))
			if err != nil || n >= len(list) {
				return nil
			}
			tree = list[n]
		}
	}
	return tree
}

// served is the host that a gateway names. Istio takes no short name there, and
// nobody an address; our own routes refuse every other host in any case.
func served(s Settings) string {
	host := hostOf(s.PublicHost)
	if _, err := netip.ParseAddr(host); err == nil || !strings.Contains(host, ".") {
		return "*"
	}
	return host
}

// checkPort says what is wrong with the port that a gateway opens.
func checkPort(s Settings, port uint32, credential string) (problems []error) {
	if port == 0 || port > 65535 {
		problems = append(problems, fmt.Errorf("the gateway's port is %d: give the one that browsers come to", port))
	}
	if credential != "" && !secretPattern.MatchString(credential) {
		problems = append(problems, fmt.Errorf("the credential is %q: give the name of a Secret in the gateway's namespace", credential))
	}
	if (s.PublicScheme == "https") != (credential != "") {
		problems = append(problems, errors.New("an https public address needs the credential of its certificate, and a plain one must have none: give --credential with the name of the Secret, or leave it out"))
	}
	return problems
}

// DefaultPort is the port of a public host.
func DefaultPort(scheme, host string) uint32 { return portNumber(host, scheme) }
