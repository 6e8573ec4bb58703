package envoytest_test

import (
	"bytes"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// http2 sends one HTTP/2 request whose header fields are written as they are,
// in order, and gives its status; "reset" when Envoy ends the stream or the
// connection instead.
func (r *rig) http2(fields ...string) string {
	conn, err := net.Dial("tcp", r.addr)
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	fmt.Fprint(conn, http2.ClientPreface)
	framer := http2.NewFramer(conn, conn)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	framer.WriteSettings()
	framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: encoded(fields), EndHeaders: true, EndStream: true})
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return "reset"
		}
		switch f := frame.(type) {
		case *http2.MetaHeadersFrame:
			return f.PseudoValue("status")
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			return "reset"
		}
	}
}

func encoded(fields []string) []byte {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for i := 0; i < len(fields); i += 2 {
		encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return block.Bytes()
}

// Requests that HTTP/1.1 cannot write: none reaches an upstream unjudged, or
// under another host than Check saw.
func TestOddHTTP2RequestsEndInEnvoy(t *testing.T) {
	r := newRig(t)
	var group sync.WaitGroup // Envoy takes a second to end a broken connection
	for _, c := range []struct {
		name   string
		fields []string
		status []string
	}{
		{"ordinary", []string{":method", "GET", ":scheme", "http", ":authority", publicHost, ":path", "/projects"}, []string{"200"}},
		{"another Host beside the authority", []string{":method", "GET", ":scheme", "http", ":authority", "evil.test", ":path", "/", "host", publicHost}, []string{"421", "reset"}},
		{"two authorities", []string{":method", "GET", ":scheme", "http", ":authority", publicHost, ":authority", "evil.test", ":path", "/"}, []string{"400", "421", "reset"}},
		{"two paths", []string{":method", "GET", ":scheme", "http", ":authority", publicHost, ":path", "/a", ":path", "/b"}, []string{"400", "reset"}},
		{"no path", []string{":method", "GET", ":scheme", "http", ":authority", publicHost}, []string{"400", "404", "reset"}},
		{"no slash", []string{":method", "GET", ":scheme", "http", ":authority", publicHost, ":path", "projects"}, []string{"400", "404", "reset"}},
		{"a star", []string{":method", "OPTIONS", ":scheme", "http", ":authority", publicHost, ":path", "*"}, []string{"400", "404", "reset"}},
		{"no authority", []string{":method", "GET", ":scheme", "http", ":path", "/"}, []string{"400", "404", "421", "reset"}},
		{"CONNECT", []string{":method", "CONNECT", ":authority", publicHost}, []string{"400", "403", "404", "reset"}},
		{"a websocket", []string{":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":authority", publicHost, ":path", "/"}, []string{"400", "403", "404", "reset"}},
		{"a method beyond ASCII", []string{":method", "GE\xffT", ":scheme", "http", ":authority", publicHost, ":path", "/projects"}, []string{"400", "reset"}},
		{"a host beyond ASCII", []string{":method", "GET", ":scheme", "http", ":authority", publicHost + "\xff", ":path", "/"}, []string{"400", "421", "reset"}},
		{"an upper-case name", []string{":method", "GET", ":scheme", "http", ":authority", publicHost, ":path", "/", "X-Api-Key", "k"}, []string{"400", "reset"}},
		{"a line feed in a value", []string{":method", "GET", ":scheme", "http", ":authority", publicHost, ":path", "/", "accept", "a\nb: c"}, []string{"400", "reset"}},
		{"a fragment", []string{":method", "GET", ":scheme", "http", ":authority", publicHost, ":path", "/a#b"}, []string{"400", "reset"}},
		{"an escaped slash", []string{":method", "GET", ":scheme", "http", ":authority", publicHost, ":path", "/a%2Fb"}, []string{"400", "reset"}},
		{"a blank in the path", []string{":method", "GET", ":scheme", "http", ":authority", publicHost, ":path", "/a b"}, []string{"400", "reset"}},
		{"a connection header", []string{":method", "GET", ":scheme", "http", ":authority", publicHost, ":path", "/", "connection", "cookie"}, []string{"400", "reset"}},
		{"chunked", []string{":method", "POST", ":scheme", "http", ":authority", publicHost, ":path", "/", "transfer-encoding", "chunked"}, []string{"400", "reset"}},
	} {
		group.Go(func() {
			if got := r.http2(c.fields...); !slices.Contains(c.status, got) {
				t.Errorf("%s: %s, want one of %v", c.name, got, c.status)
			}
		})
	}
	group.Wait()
	if got := uris(r.app.requests()); !slices.Equal(got, []string{"GET /projects"}) {
		t.Errorf("the application got %v, want the ordinary request alone", got)
	}
	if len(r.s3.requests()) != 0 {
		t.Error("S3 was contacted")
	}
}
