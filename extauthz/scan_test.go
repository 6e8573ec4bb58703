package extauthz

import (
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/rolepass/rolepass/decision"
)

// both reads a message in both ways, the plain one into a message that was used
// before as well, and fails where they differ.
func both(t testing.TB, encoded []byte) (taken bool) {
	t.Helper()
	var fast decision.Request
	taken = scan(string(encoded), &fast)
	message := &authv3.CheckRequest{}
	err := proto.Unmarshal(encoded, message)
	plain, problem := read(message)
	switch {
	case !taken && !reflect.DeepEqual(fast, decision.Request{}):
		t.Fatalf("what was not taken left %+v", fast)
	case taken && err != nil:
		t.Fatalf("taken, but protobuf says %v: %x", err, encoded)
	case taken && problem != "":
		t.Fatalf("taken, but refused as %s: %x", problem, encoded)
	case taken && !reflect.DeepEqual(fast, plain):
		t.Fatalf("two readings of %x:\n%+v\n%+v", encoded, fast, plain)
	}
	if reused, ok := readReused(encoded); ok != (err == nil && problem == "") || ok && !reflect.DeepEqual(reused, plain) {
		t.Fatalf("a message used again reads %x as\n%+v, %v, a new one as\n%+v, %v %s", encoded, reused, ok, plain, err, problem)
	}
	return taken
}

// recordings are CheckRequests as a real Envoy sent them, encoded.
func recordings(t testing.TB) (all [][]byte) {
	for _, name := range []string{"checkrequest-get.json", "checkrequest-acs.json"} {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		in := &authv3.CheckRequest{}
		if err := protojson.Unmarshal(text, in); err != nil {
			t.Fatal(err)
		}
		in.GetAttributes().GetSource().GetAddress().GetSocketAddress().Address = "192.0.2.7" // not the destination's
		all = append(all, encode(t, in))
	}
	return all
}

func encode(t testing.TB, in *authv3.CheckRequest) []byte {
	encoded, err := proto.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func TestWhatEnvoySendsIsScanned(t *testing.T) {
	for i, encoded := range recordings(t) {
		if !both(t, encoded) {
			t.Errorf("recording %d goes the plain way", i)
		}
	}
}

// What protobuf would merge, overwrite or ignore goes the plain way, wherever
// in the message it is; and the plain way reads it as protobuf does.
func TestWhatEnvoyDoesNotSendIsNotScanned(t *testing.T) {
	get := recordings(t)[0]
	http := func(change func(*authv3.AttributeContext_HttpRequest)) []byte {
		in := &authv3.CheckRequest{}
		if err := proto.Unmarshal(get, in); err != nil {
			t.Fatal(err)
		}
		change(in.Attributes.Request.Http)
		return encode(t, in)
	}
	inside := func(contents []byte) []byte { // a second attributes { request { http { contents } } }
		for _, number := range []protowire.Number{2, 4, 1} {
			contents = protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), contents)
		}
		return contents
	}
	path := protowire.AppendString(protowire.AppendTag(nil, 4, protowire.BytesType), "/other")
	for name, encoded := range map[string][]byte{
		"nothing":                     {},
		"a message in two parts":      append(append([]byte{}, get...), inside(path)...),
		"a field twice":               inside(append(append([]byte{}, path...), path...)),
		"an unknown field":            append(append([]byte{}, get...), 15<<3|wireBytes, 1, 'x'),
		"an unknown field of a group": append(append([]byte{}, get...), 14<<3|3, 14<<3|4),
		"a large field number":        append(append([]byte{}, get...), 0x82, 0x06, 1, 'x'),
		"another wire type":           append(append([]byte{}, get...), 1<<3, 1),
		"a tag in two bytes":          append([]byte{0x8a, 0}, get[1:]...),
		"cut":                         get[:len(get)-1],
		"more than there is":          {1<<3 | wireBytes, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
		"a number without an end":     {1<<3 | wireBytes, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0},
		"a path that is no text":      inside(protowire.AppendBytes(protowire.AppendTag(nil, 4, protowire.BytesType), []byte("/\xff"))),
		"headers as a map":            http(func(h *authv3.AttributeContext_HttpRequest) { h.Headers = map[string]string{"accept": "x"} }),
		"a query apart":               http(func(h *authv3.AttributeContext_HttpRequest) { h.Query = "q" }),
		"a fragment":                  http(func(h *authv3.AttributeContext_HttpRequest) { h.Fragment = "f" }),
		"no method":                   http(func(h *authv3.AttributeContext_HttpRequest) { h.Method = "" }),
		"a header twice": http(func(h *authv3.AttributeContext_HttpRequest) {
			h.HeaderMap.Headers = append(h.HeaderMap.Headers, &corev3.HeaderValue{Key: "origin", Value: "a"}, &corev3.HeaderValue{Key: "Origin", Value: "a"})
		}),
	} {
		if both(t, encoded) {
			t.Errorf("%s is scanned", name)
		}
	}
}

func TestBothWaysAgreeOnManyRequests(t *testing.T) {
	many := 20_000
	if text := os.Getenv("ROLEPASS_REQUESTS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		many = n
	}
	random := rand.New(rand.NewPCG(1, 2))
	taken := 0
	for range many {
		encoded := encode(t, anyRequest(random))
		for range random.IntN(3) { // and what nobody would send
			if at := random.IntN(len(encoded) + 1); at < len(encoded) {
				switch random.IntN(4) {
				case 0:
					encoded[at] ^= 1 << random.IntN(8)
				case 1:
					encoded = encoded[:at]
				case 2:
					encoded = append(encoded, encoded[at:]...)
				}
			}
		}
		if both(t, encoded) {
			taken++
		}
	}
	t.Logf("%d of %d were scanned", taken, many)
	if taken < many/5 {
		t.Errorf("only %d of %d were scanned", taken, many)
	}
}

// anyRequest is of the usual shape, more often than not.
func anyRequest(random *rand.Rand) *authv3.CheckRequest {
	word := func() string {
		return []string{"", "a", "GET", "/tasks/1/resolve/?fileuri=x", "label.test", "ü", "cookie", "Origin", "x-request-id", "false", strings.Repeat("t", 200)}[random.IntN(11)]
	}
	http := &authv3.AttributeContext_HttpRequest{Id: word(), Method: "GET", Path: "/" + word(), Host: "h" + word(), Scheme: word(), Protocol: word(), Size: random.Int64() - 1<<62}
	headers := &corev3.HeaderMap{}
	for range random.IntN(6) {
		h := &corev3.HeaderValue{Key: []string{"cookie", "Cookie", "accept", "origin", "sec-fetch-dest", "x-request-id", "authorization", "x-envoy-auth-partial-body", "te", "X-Api-Key"}[random.IntN(10)] + []string{"", "", "", "x"}[random.IntN(4)], Value: word()}
		if random.IntN(2) == 0 {
			h.RawValue = []byte(word() + []string{"", "\xff"}[random.IntN(2)])
		}
		headers.Headers = append(headers.Headers, h)
	}
	http.HeaderMap = headers
	rarely := func(f func()) {
		if random.IntN(12) == 0 {
			f()
		}
	}
	attributes := &authv3.AttributeContext{Request: &authv3.AttributeContext_Request{Http: http, Time: timestamppb.New(noon)}}
	attributes.Source = &authv3.AttributeContext_Peer{Address: &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{Address: word(), PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: random.Uint32()}}}}, Principal: word(), Certificate: word()}
	attributes.MetadataContext, attributes.TlsSession = &corev3.Metadata{}, &authv3.AttributeContext_TLSSession{Sni: word()}
	rarely(func() { http.Method = word() })
	rarely(func() { http.Path = word() })
	rarely(func() { http.Query, http.Fragment = word(), word() })
	rarely(func() { http.Headers = map[string]string{word(): word()} })
	rarely(func() { http.Body = word() })
	rarely(func() { http.RawBody = []byte(word()) })
	rarely(func() { attributes.Source.Labels = map[string]string{word(): word()} })
	rarely(func() { attributes.ContextExtensions = map[string]string{word(): word()} })
	rarely(func() {
		attributes.MetadataContext.FilterMetadata = map[string]*structpb.Struct{word(): {}}
	})
	rarely(func() {
		attributes.Destination = &authv3.AttributeContext_Peer{Address: &corev3.Address{Address: &corev3.Address_Pipe{Pipe: &corev3.Pipe{Path: word()}}}}
	})
	return &authv3.CheckRequest{Attributes: attributes}
}

// FuzzScan looks for a message that both ways read differently.
func FuzzScan(f *testing.F) {
	for _, encoded := range recordings(f) {
		f.Add(encoded)
	}
	random := rand.New(rand.NewPCG(3, 4))
	for range 40 {
		f.Add(encode(f, anyRequest(random)))
	}
	f.Fuzz(func(t *testing.T, encoded []byte) { both(t, encoded) })
}

// FuzzScanTaken looks for a message of the usual shape that is not taken: then
// the fast way would be none.
func FuzzScanTaken(f *testing.F) {
	f.Add("GET", "/a", "label.test", "sid=1", []byte("v"), []byte("body"), int64(3))
	f.Fuzz(func(t *testing.T, method, path, host, id string, cookie, body []byte, size int64) {
		in := &authv3.CheckRequest{Attributes: &authv3.AttributeContext{Request: &authv3.AttributeContext_Request{Http: &authv3.AttributeContext_HttpRequest{
			Id: id, Method: method, Path: path, Host: host, Size: size, RawBody: body,
			HeaderMap: &corev3.HeaderMap{Headers: []*corev3.HeaderValue{{Key: "cookie", RawValue: cookie}, {Key: "accept", Value: host}}},
		}}}}
		encoded, err := proto.Marshal(in)
		if err != nil || method == "" || path == "" || host == "" {
			return // Envoy sends text, and a request line
		}
		if !both(t, encoded) {
			t.Errorf("not scanned: %v", in)
		}
	})
}

func TestScanningAllocatesTheRequestOnly(t *testing.T) {
	text := string(recordings(t)[0])
	if got := testing.AllocsPerRun(200, func() {
		if !scan(text, &decision.Request{}) {
			t.Error("not scanned")
		}
	}); got > 4 {
		t.Errorf("a scan takes %.0f allocations, more than the request, its lists and the scanner", got)
	}
}

func BenchmarkRead(b *testing.B) {
	encoded := recordings(b)[0]
	b.Run("plain", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			in := &authv3.CheckRequest{}
			if err := proto.Unmarshal(encoded, in); err != nil {
				b.Fatal(err)
			}
			if _, problem := read(in); problem != "" {
				b.Fatal(problem)
			}
		}
	})
	b.Run("reused", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, ok := readReused(encoded); !ok {
				b.Fatal("not read")
			}
		}
	})
	b.Run("scan", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if !scan(string(encoded), &decision.Request{}) {
				b.Fatal("not scanned")
			}
		}
	})
}
