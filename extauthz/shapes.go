package extauthz

// The messages of a CheckRequest, by the field numbers of
// envoy/service/auth/v3/attribute_context.proto and what it imports, as far as
// Envoy fills them for this service. What is missing here (labels, headers as
// a map, metadata that is not empty) is read the plain way.
var (
	checkRequest = &shape{
		1: {kind: message, of: attributes},
	}
	attributes = &shape{
		1:  {kind: message, of: source},
		2:  {kind: message, of: peer}, // destination
		4:  {kind: message, of: request},
		11: {kind: message, of: empty}, // metadata_context
		12: {kind: message, of: tlsSession},
		13: {kind: message, of: empty}, // route_metadata_context
	}
	peer = &shape{
		1: {kind: message, of: address},
		2: {kind: characters}, // service
		4: {kind: characters}, // principal
		5: {kind: characters}, // certificate
	}
	source = &shape{
		1: {kind: message, of: &shape{1: {kind: message, of: sourceAddress}}},
		2: peer[2], 4: peer[4], 5: peer[5],
	}
	sourceAddress = &shape{
		1: socketAddress[1], 3: socketAddress[3], 5: socketAddress[5], 6: socketAddress[6],
		2: {kind: characters, keep: func(s *scanner, text string) { s.headers.Source = text }},
	}
	address = &shape{
		1: {kind: message, of: socketAddress},
	}
	socketAddress = &shape{
		1: {kind: number},     // protocol
		2: {kind: characters}, // address
		3: {kind: number},     // port_value
		5: {kind: characters}, // resolver_name
		6: {kind: number},     // ipv4_compat
	}
	tlsSession = &shape{
		1: {kind: characters}, // sni
	}
	request = &shape{
		1: {kind: message, of: timestamp}, // time
		2: {kind: message, of: httpRequest, keep: func(s *scanner, _ string) { s.http = true }},
	}
	timestamp = &shape{
		1: {kind: number}, // seconds
		2: {kind: number}, // nanos
	}
	httpRequest = &shape{
		1:  {kind: characters}, // id
		2:  {kind: characters, keep: func(s *scanner, text string) { s.headers.Method = text }},
		4:  {kind: characters, keep: func(s *scanner, text string) { s.headers.Target = text }},
		5:  {kind: characters, keep: func(s *scanner, text string) { s.headers.Host = text }},
		6:  {kind: characters},                         // scheme
		7:  {kind: characters, keep: (*scanner).split}, // query
		8:  {kind: characters, keep: (*scanner).split}, // fragment
		9:  {kind: number},                             // size
		10: {kind: characters},                         // protocol
		11: {kind: characters, keep: func(s *scanner, text string) { s.body = text }},
		12: {kind: octets, keep: func(s *scanner, text string) { s.rawBody = text }},
		13: {kind: message, of: headerMap},
	}
	headerMap = &shape{
		1: {kind: message, of: header, many: true, keep: (*scanner).header},
	}
	header = &shape{
		1: {kind: characters, keep: func(s *scanner, text string) { s.name = text }},
		2: {kind: characters, keep: func(s *scanner, text string) { s.value = text }},
		3: {kind: octets, keep: func(s *scanner, text string) { s.raw = text }},
	}
	empty = &shape{}
)

// split is a target that comes in two parts.
func (s *scanner) split(part string) { s.refused = s.refused || part != "" }

// header is a header that was walked.
func (s *scanner) header(string) {
	value := s.value
	if s.raw != "" {
		value = s.raw
	}
	if s.headers.set(s.name, value, nil) != "" {
		s.refused = true
	}
	s.name, s.value, s.raw = "", "", ""
}
