package extauthz

import (
	"math/rand/v2"
	"reflect"
	"testing"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/protobuf/proto"
)

// What is read into a message that others were read into is what is read into a new
// one, whatever the others were, damaged or not.
func TestAReusedMessageIsReadLikeANewOne(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	known := 0
	for range 20_000 {
		encoded := encode(t, anyRequest(random))
		if at := random.IntN(4 * len(encoded)); at < len(encoded) {
			encoded = append(encoded[:at], encoded[random.IntN(len(encoded)):]...)
		}
		message := &authv3.CheckRequest{}
		err := proto.Unmarshal(encoded, message)
		want, problem := read(message)
		got := &question{}
		if gotErr := (Codec{}).Unmarshal(buffers(string(encoded)), got); (gotErr == nil) != (err == nil) {
			t.Fatalf("read with %v, new with %v: %x", gotErr, err, encoded)
		}
		if err == nil && (got.problem != problem || !reflect.DeepEqual(got.request, want)) {
			t.Fatalf("two readings of %x:\n%+v %s\n%+v %s", encoded, got.request, got.problem, want, problem)
		}
		if _, ok := readReused(encoded); ok {
			known++
		}
	}
	if known < 10_000 {
		t.Errorf("only %d of 20,000 could be read", known)
	}
}

// A message that waits for the next request holds nothing of the last, also not
// behind the end of its list.
func TestAnEmptiedMessageHoldsNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	for range 2000 {
		m := anyRequest(random)
		m.Attributes.Request.Http.ProtoReflect().SetUnknown([]byte{15<<3 | wireBytes, 1, 'x'})
		headers := m.Attributes.Request.Http.HeaderMap.GetHeaders()
		if emptied(m); !proto.Equal(m, emptied(&authv3.CheckRequest{})) {
			t.Fatalf("left: %v", m)
		}
		for _, h := range headers[:cap(headers)] {
			if h != nil {
				t.Fatalf("behind the end: %v", h)
			}
		}
	}
}

// Whoever sends many headers takes room for one request only.
func TestRoomIsBounded(t *testing.T) {
	m := emptied(&authv3.CheckRequest{})
	list := m.Attributes.Request.Http.HeaderMap
	list.Headers = append(list.Headers, anyRequest(rand.New(rand.NewPCG(1, 1))).Attributes.Request.Http.HeaderMap.Headers...)
	for len(list.Headers) <= mostRoom {
		list.Headers = append(list.Headers, nil)
	}
	if emptied(m); cap(list.Headers) > mostRoom {
		t.Errorf("room for %d headers is kept", cap(list.Headers))
	}
}
