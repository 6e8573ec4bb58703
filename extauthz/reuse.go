package extauthz

import (
	"sync"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/protobuf/proto"

	"github.com/rolepass/rolepass/decision"
)

// messages are emptied CheckRequests. Making the outer messages of one, and a list
// that grows with its headers, is a tenth of reading it, and a kilobyte.
var messages = sync.Pool{New: func() any { return emptied(&authv3.CheckRequest{}) }}

// readReused reads an encoded CheckRequest into a message that was used before. Ok
// is false if it cannot be read: then it says nothing, since a message that was
// emptied has parts which the encoded one may lack.
func readReused(encoded []byte) (r decision.Request, ok bool) {
	message := messages.Get().(*authv3.CheckRequest)
	defer func() { messages.Put(emptied(message)) }()
	if err := (proto.UnmarshalOptions{Merge: true}).Unmarshal(encoded, message); err != nil {
		return decision.Request{}, false
	}
	r, problem := read(message)
	return r, problem == ""
}

// mostRoom is how long a list of headers may be that is kept. Envoy's own limit
// for a request is 100.
const mostRoom = 128

// emptied takes all contents out of a CheckRequest. What stays are the messages
// around the headers, all empty, and room for as many headers.
func emptied(m *authv3.CheckRequest) *authv3.CheckRequest {
	attributes := m.GetAttributes()
	request := attributes.GetRequest()
	http := request.GetHttp()
	list := http.GetHeaderMap()
	if list == nil {
		attributes, request, http, list = &authv3.AttributeContext{}, &authv3.AttributeContext_Request{}, &authv3.AttributeContext_HttpRequest{}, &corev3.HeaderMap{}
	}
	room := list.GetHeaders()
	clear(room)
	if cap(room) > mostRoom {
		room = nil
	}
	for _, part := range []proto.Message{m, attributes, request, http, list} {
		proto.Reset(part)
	}
	m.Attributes, attributes.Request, request.Http, http.HeaderMap, list.Headers = attributes, request, http, list, room[:0]
	return m
}
