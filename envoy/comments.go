package envoy

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
)

// comment says why one field of the bootstrap is as it is. Its path joins
// field names with dots; an item of a list is chosen by its name in brackets
// ("*" ends a prefix) and without brackets any item will do. The first field
// that matches carries the comment.
type comment struct{ path, why string }

const (
	hcmPath    = "static_resources.listeners.filter_chains.filters.typed_config."
	publicPath = hcmPath + "route_config.virtual_hosts[public]."
	authzPath  = hcmPath + "http_filters[envoy.filters.http.ext_authz].typed_config."
)

var comments = []comment{
	{"admin", "Whoever reaches this address controls Envoy: loopback only, and without /logging (debug logs print cookies), /quitquitquit and /runtime_modify."},
	{"overload_manager", "Shed load before memory or connections run out: an Envoy that is killed refuses everybody."},

	{hcmPath + "use_remote_address", "Envoy is the edge: the client's address is the connection's, not what a header claims."},
	{hcmPath + "early_header_mutation_extensions", "Removed before routing and before ext_authz: what only Envoy, Rolepass or a signature may say."},
	{hcmPath + "scheme_header_transformation", "The public address has one scheme, whoever ends TLS."},
	{hcmPath + "normalize_path", "Rolepass, Envoy's routes and the application must see the same bytes: nothing is folded here, and Rolepass refuses dot segments and double slashes where they matter."},
	{hcmPath + "path_with_escaped_slashes_action", "%2F and %5C in a path are a slash to some parsers and not to others: 400."},
	{hcmPath + "common_http_protocol_options.headers_with_underscores_action", "WSGI folds _ and - into one: X_Api_Key would arrive as X-Api-Key. Dropped, not refused, since a proxy in front may add one for its own use."},
	{hcmPath + "common_http_protocol_options.max_headers_count", "More than any browser sends."},
	{hcmPath + "http2_protocol_options", "Bounds of what one connection may ask of memory."},
	{hcmPath + "max_request_headers_kb", "Counts for the path that Check writes too: a session token of 4 KiB in the query fits with room."},
	{hcmPath + "stream_idle_timeout", "A request on which nothing moves for this long ends; long downloads move."},
	{hcmPath + "request_timeout", "Long enough for a large upload to the application, short enough to end a trickle."},
	{hcmPath + "request_headers_timeout", "Headers come at once or not at all."},
	{hcmPath + "drain_timeout", "After /drain_listeners?graceful: how long connections may finish."},
	{hcmPath + "server_header_transformation", "Envoy does not name itself."},
	{hcmPath + "local_reply_config", "Envoy's own texts name addresses and certificates; browsers get one sentence. Answers of Check (UAEX) stay as they are."},
	{hcmPath + "access_log", "No path, query, host or header of the browser: after Check the path is an object key and the query a signature. Join with Rolepass' audit by request and session."},

	{hcmPath + "route_config.virtual_hosts[public]", "The public host and nothing else. ext_authz is disabled on no route, and the last route matches everything: Envoy skips ext_authz for a request without a route."},
	{publicPath + "routes[odd-path]", "Over HTTP/2 a path may hold any byte, and Check is shown '!' in place of those that are no UTF-8: what it judged would not be what is served. Inverted, so that what the pattern cannot match is refused."},
	{publicPath + "routes[odd-method]", "Only GET and HEAD go to S3, whatever Check says."},
	{publicPath + "routes[s3-*]", "Chosen by dynamic metadata, which only ext_authz writes; no header of a client leads here."},
	{publicPath + "routes[s3-*].route.host_rewrite_literal", "Part of what Check signed, and fixed here: no request can name another host."},
	{publicPath + "routes[s3-*].route.timeout", "Large objects take as long as they take; the idle timeout ends what stands still."},
	{publicPath + "routes[s3-*].route.retry_policy", "Only where nothing was sent yet."},
	{publicPath + "routes[s3-*].typed_per_filter_config.envoy.filters.http.header_mutation", "By prefix what routes can remove only by name: no X- or Sec- header of a browser to S3; no x-amz-meta-* or CORS from S3."},
	{publicPath + "routes[s3-*].typed_per_filter_config.envoy.filters.http.custom_response", "What S3 says instead of an object stays here: its error documents repeat access keys and tokens, its redirects name other endpoints. Envoy counts these messages as unfinished and warns of that when it starts."},
	{publicPath + "routes[s3-*].typed_per_filter_config.envoy.filters.http.dynamic_forward_proxy", "The host that is connected to: this route's own, whatever the request says. The routes are the list of allowed hosts."},
	{publicPath + "routes[s3-*].typed_per_filter_config.envoy.filters.http.header_to_metadata", "What S3 really answered, for the access log; and how long the object is, for the 416 that replaces S3's."},
	{publicPath + "routes[s3-*].request_headers_to_remove", "Removed here and not by Check: without x-forwarded-proto Envoy cannot choose a route (404). AWS refuses an Authorization beside a signed query."},
	{publicPath + "routes[s3-*].response_headers_to_remove", "An object is not the application: it sets no cookie and no policy for its origin."},
	{publicPath + "routes[lost-fetch]", "Check chose an S3 route that is not here (a bucket added since): an error, and never the application."},
	{publicPath + "routes[lost-query]", "A signed location never reaches the application, whose log would keep it."},
	{publicPath + "routes[lost-header]", "Nor does a signature in a header."},
	{publicPath + "routes[acs]", "Check answers the ACS itself; it and the next are the only routes of Rolepass's own whose body Check sees."},
	{publicPath + "routes[slo]", "The IdP's logout messages."},
	{publicPath + "routes[acs].typed_per_filter_config.envoy.filters.http.ext_authz.check_settings.grpc_service", "No retry: an assertion is posted once."},
	{publicPath + "routes[app]", "Everything else: the application, with what Check allowed it to see."},
	{publicPath + "typed_per_filter_config", "Uploads to the application stream through: neither buffered nor refused for their size."},
	{hcmPath + "route_config.virtual_hosts[elsewhere]", "Any other host: 421, after ext_authz, with no upstream contact."},

	{authzPath + "grpc_service.timeout", "Above Rolepass' own longest deadline (12 s at a login), so that its answer wins."},
	{authzPath + "grpc_service.initial_metadata", "The source of a CheckRequest is the proxy in front; this is the client, as the access log has it. It is no header of the request, so no client can write it."},
	{authzPath + "grpc_service.retry_policy", "Covers a restart of Rolepass. The ACS has its own setting without retry. The default back-off would be a second. Envoy takes max_interval for the timeout of one try, too."},
	{authzPath + "with_request_body", "Here because Envoy reads pack_as_bytes nowhere else; every virtual host turns it off and the ACS route turns it on again."},
	{authzPath + "clear_route_cache", "The route is chosen again after Check: that is how a data fetch gets to S3."},
	{authzPath + "status_on_error", "No Check, no service. 403 would read as 'no rights'. failure_mode_allow stays off."},
	{authzPath + "validate_mutations", "An illegal header from Check is a 500 here instead of a surprise upstream."},
	{authzPath + "allowed_headers", "What Rolepass reads, and no more."},
	{authzPath + "encode_raw_headers", "Bytes and lines as they came: two Cookie lines stay two."},
	{authzPath + "decoder_header_mutation_rules", "What Check may change. Method, host and scheme are not among it; an attempt is a 500."},
	{authzPath + "enable_dynamic_metadata_ingestion", "Without it the S3 route is never chosen."},
	{authzPath + "max_denied_response_body_bytes", "Room for a page of Rolepass."},
	{authzPath + "charge_cluster_response_stats", "A refusal is not a failure of the application."},

	{"static_resources.clusters[rolepass_check]", "No health check: a failed connection says the same sooner, and recovery would wait for the next probe."},
	{"static_resources.clusters[rolepass_check].circuit_breakers", "The default of 1024 calls at once would refuse the rest with 503."},
	{"static_resources.clusters[rolepass_check].transport_socket", "Check's answers carry signed locations: both ends prove who they are."},
	{"static_resources.clusters[app].typed_extension_protocol_options", "Python servers close idle connections after seconds, and a POST that meets the closing cannot be repeated: close first."},
	{hcmPath + "http_filters[envoy.filters.http.dynamic_forward_proxy]", "Behind ext_authz: nobody has names looked up without a decision."},
	{"static_resources.clusters[dynamic-s3-*].cluster_type", "One cluster for all S3 servers of this scheme. Each route fixes its host, and no more hosts are remembered than there are routes."},
	{"static_resources.clusters[dynamic-s3-*].transport_socket", "Each server must prove the host that its route names: auto_sni and auto_san_validation, above."},
	{"static_resources.clusters[s3-*].cluster_type", "IPv4 first: on a host without IPv6 an AAAA record would mean 'no healthy upstream'. One address at a time, since S3's name servers rotate."},
	{"static_resources.clusters[s3-*].transport_socket", "The certificate must be for this host; a trusted authority alone would accept any server."},
}

// commentMap turns comments into positions of this tree.
func commentMap(tree any) yaml.CommentMap {
	out := yaml.CommentMap{}
	for _, c := range comments {
		if at, ok := find(tree, "$", c.path); ok {
			out[at] = []*yaml.Comment{yaml.HeadComment(wrapped(c.why)...)}
		}
	}
	return out
}

// find gives the position, in goccy's path syntax, of the first node that
// matches path under node.
func find(node any, at, path string) (string, bool) {
	if list, ok := node.([]any); ok {
		for i, item := range list {
			if found, ok := find(item, fmt.Sprintf("%s[%d]", at, i), path); ok {
				return found, true
			}
		}
		return "", false
	}
	object, ok := node.(yaml.MapSlice)
	if !ok {
		return "", false
	}
	for _, field := range object {
		key := field.Key.(string)
		rest, ok := strings.CutPrefix(path, key)
		if !ok {
			continue
		}
		if found, ok := under(field.Value, at+".'"+key+"'", rest); ok {
			return found, true
		}
	}
	return "", false
}

// under continues find behind a field's name: at its end, at one of its items,
// or at a field below it.
func under(value any, at, rest string) (string, bool) {
	if rest == "" {
		return at, true
	}
	if below, ok := strings.CutPrefix(rest, "."); ok {
		return find(value, at, below)
	}
	name, below, ok := strings.Cut(strings.TrimPrefix(rest, "["), "]")
	if !ok || !strings.HasPrefix(rest, "[") {
		return "", false
	}
	list, _ := value.([]any)
	for i, item := range list {
		if !named(item, name) {
			continue
		}
		position := fmt.Sprintf("%s[%d]", at, i)
		if below == "" {
			return position, true
		}
		if found, ok := find(item, position, strings.TrimPrefix(below, ".")); ok {
			return found, true
		}
	}
	return "", false
}

// named reports whether a list item has this name, or this beginning of one
// when it ends in "*".
func named(item any, name string) bool {
	object, ok := item.(yaml.MapSlice)
	if !ok || len(object) == 0 || object[0].Key != "name" {
		return false
	}
	has, _ := object[0].Value.(string)
	if prefix, ok := strings.CutSuffix(name, "*"); ok {
		return strings.HasPrefix(has, prefix)
	}
	return has == name
}

// wrapped breaks a sentence into lines that can be read in a terminal.
func wrapped(sentence string) []string {
	const width = 90
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(sentence) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		line += " " + word
	}
	return append(lines, line)
}
