package lint

import (
	"regexp"
	"slices"

	accesslog "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	fileaccesslog "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/file/v3"
	streamaccesslog "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/stream/v3"
	taphttp "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/tap/v3"
	tapsocket "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tap/v3"
	"google.golang.org/protobuf/encoding/prototext"
)

// processRules are about Envoy as a program: who controls it, and what it
// writes down.
var processRules = []Rule{
	{"RP601", "an administration address beyond this machine", "Whoever reaches it controls Envoy.", "Let it listen on 127.0.0.1, or on a Unix socket.", onAdmin(func(v *view) string {
		at := v.bootstrap.GetAdmin().GetAddress()
		return when(at.GetPipe() == nil && !loopback(at.GetSocketAddress().GetAddress()), "it listens on %s", at.GetSocketAddress().GetAddress())
	})},
	{"RP602", "an administration address that changes things", "Any process of this machine can switch on logs that print cookies and signatures, or stop Envoy.", "Set admin.allow_paths as generated.", onAdmin(func(v *view) string {
		if v.inMesh() {
			return ""
		}
		var open []string
		for _, path := range []string{"/logging", "/quitquitquit", "/runtime_modify"} {
			paths := v.bootstrap.GetAdmin().GetAllowPaths()
			allowed := len(paths) == 0
			for _, p := range paths {
				allowed = allowed || matches(p, path)
			}
			if allowed {
				open = append(open, path)
			}
		}
		return lacks("it answers", open)
	})},
	{"RP603", "paths or headers of the browser in the access log", "Behind Check the path is an object's key and the query a signature; headers carry sessions.", "Log what the generated configuration logs, and nothing else.", onManager(func(m *manager) string {
		for _, l := range append(slices.Clone(m.hcm.GetAccessLog()), m.listener.GetAccessLog()...) {
			if what := tellsTooMuch(l); what != "" {
				return what
			}
		}
		return ""
	})},
	{"RP604", "tracing", "A span has the whole address, with the signature.", "Remove tracing.", onManager(func(m *manager) string {
		return when(m.hcm.GetTracing() != nil, "tracing is on")
	})},
	{"RP605", "a tap", "It records whole requests: cookies, assertions, objects.", "Remove the tap.", onManager(func(m *manager) string {
		filters, _ := messages[*taphttp.Tap](m.listener)
		sockets, _ := messages[*tapsocket.Tap](m.listener)
		return when(len(filters)+len(sockets) > 0, "it has a tap")
	})},
	{"RP606", "no bound of memory", "Envoy is killed under load, and everybody is refused.", "Set overload_manager as generated.", func(v *view) []problem {
		if v.bootstrap == nil || v.inMesh() || len(v.bootstrap.GetOverloadManager().GetActions()) > 0 {
			return nil
		}
		return []problem{{"configuration", "there is no overload_manager with an action"}}
	}},
	{"RP607", "Envoy's own words about its troubles", "They name addresses, certificates and what failed.", "Set local_reply_config as generated.", onManager(func(m *manager) string {
		return when(len(m.hcm.GetLocalReplyConfig().GetMappers()) == 0 && m.hcm.GetLocalReplyConfig().GetBodyFormat() == nil, "local_reply_config is not set")
	})},
}

// inMesh says that Istio started this Envoy. Then nobody but Istio writes the
// bootstrap: istio-agent needs what the administration address changes, the pod
// is alone on its loopback, and its memory is bounded by the pod's limit.
func (v *view) inMesh() bool {
	_, is := v.bootstrap.GetNode().GetMetadata().GetFields()["ISTIO_VERSION"]
	return is
}

func onAdmin(says func(*view) string) func(*view) []problem {
	return func(v *view) []problem {
		if v.bootstrap.GetAdmin().GetAddress() == nil {
			return nil
		}
		if what := says(v); what != "" {
			return []problem{{"admin", what}}
		}
		return nil
	}
}

// telling are the commands of a log format that print what must not be
// printed.
var telling = regexp.MustCompile(`(?i)%(REQ|REQUEST_HEADER)\((:PATH|X-ENVOY-ORIGINAL-PATH|COOKIE|AUTHORIZATION|REFERER|X-API-KEY)[):?]|%PATH[(%]|%QUERY_PARAMS?[(%]|%RESP\(SET-COOKIE`)

// tellsTooMuch says what a log prints beyond what it may.
func tellsTooMuch(l *accesslog.AccessLog) string {
	files, _ := messages[*fileaccesslog.FileAccessLog](l)
	for _, f := range files {
		if f.GetAccessLogFormat() == nil {
			return "its format is Envoy's own, which has the path"
		}
		if found := telling.FindString(prototext.Format(f)); found != "" {
			return "its format has " + found
		}
	}
	outputs, _ := messages[*streamaccesslog.StdoutAccessLog](l)
	for _, o := range outputs {
		if o.GetAccessLogFormat() == nil {
			return "its format is Envoy's own, which has the path"
		}
		if found := telling.FindString(prototext.Format(o)); found != "" {
			return "its format has " + found
		}
	}
	return ""
}
