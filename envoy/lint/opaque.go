package lint

import (
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protopath"
	"google.golang.org/protobuf/reflect/protorange"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/anypb"

	// Extensions that an Envoy in front of an application often has. They are
	// linked so that their messages can be read.
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/stream/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/clusters/dns/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/common/set_filter_state/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/compressor/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/cors/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/local_ratelimit/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/lua/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/set_filter_state/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/proxy_protocol/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/tls_inspector/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/http/custom_response/local_response_policy/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/downstream_connections/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/fixed_heap/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tap/v3"
)

// tolerant finds message types, and an empty stand-in for those that are not
// linked: their type stays known, their fields do not.
type tolerant struct{}

var standIn = (*route.RouteMatch_ConnectMatcher)(nil).ProtoReflect().Type()

func (tolerant) FindMessageByName(name protoreflect.FullName) (protoreflect.MessageType, error) {
	return protoregistry.GlobalTypes.FindMessageByName(name)
}

func (tolerant) FindMessageByURL(url string) (protoreflect.MessageType, error) {
	if found, err := protoregistry.GlobalTypes.FindMessageByURL(url); err == nil {
		return found, nil
	}
	return standIn, nil
}

func (tolerant) FindExtensionByName(name protoreflect.FullName) (protoreflect.ExtensionType, error) {
	return protoregistry.GlobalTypes.FindExtensionByName(name)
}

func (tolerant) FindExtensionByNumber(message protoreflect.FullName, number protoreflect.FieldNumber) (protoreflect.ExtensionType, error) {
	return protoregistry.GlobalTypes.FindExtensionByNumber(message, number)
}

// hollow takes the fields out of every typed message that is not linked.
func hollow(node any) {
	switch node := node.(type) {
	case map[string]any:
		if url, ok := node["@type"].(string); ok {
			if _, err := protoregistry.GlobalTypes.FindMessageByURL(url); err != nil {
				clear(node)
				node["@type"] = url
				return
			}
		}
		for _, below := range node {
			hollow(below)
		}
	case []any:
		for _, below := range node {
			hollow(below)
		}
	}
}

// messages gives every message of a type below root, inside Any too (Range
// looks into what it can read), and the types of what could not be read.
func messages[M proto.Message](root proto.Message) (found []M, opaque []string) {
	_ = protorange.Range(root.ProtoReflect(), func(values protopath.Values) error {
		m, ok := values.Index(-1).Value.Interface().(protoreflect.Message)
		if !ok {
			return nil
		}
		if typed, ok := m.Interface().(M); ok {
			found = append(found, typed)
		}
		if packed, ok := m.Interface().(*anypb.Any); ok {
			if _, err := packed.UnmarshalNew(); err != nil {
				opaque = append(opaque, packed.GetTypeUrl())
			}
		}
		return nil
	})
	return found, opaque
}

// open reads an Any; nil where it is not of this type.
func open[M proto.Message](packed *anypb.Any) (typed M) {
	if packed == nil {
		return typed
	}
	m, err := packed.UnmarshalNew()
	if err != nil {
		return typed
	}
	typed, _ = m.(M)
	return typed
}
