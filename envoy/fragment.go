package envoy

import (
	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
)

const fragmentPreamble = `# What an Envoy needs beside what it has, for an application that Rolepass guards:
# a listener and its clusters. Written by "rolepass generate envoy --fragment".
#
#   envoy --config-path YOURS.yaml --config-yaml "$(cat THIS.yaml)"
#
# adds it to yours without a change there. What Rolepass says about an Envoy as a
# whole (the administration address, limits of memory) is not in it: run
# "rolepass lint" against the result.
`

// Fragment renders the parts of a bootstrap that another Envoy needs: merged
// into its own bootstrap, the listener and the clusters stand beside those it
// has.
func Fragment(b *bootstrap.Bootstrap) ([]byte, error) {
	return render(fragmentPreamble, &bootstrap.Bootstrap{StaticResources: b.GetStaticResources()})
}
