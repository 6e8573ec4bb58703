package envoytest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"golang.org/x/net/http2"
	"golang.org/x/sync/errgroup"
)

// perRoute is how many requests go to each route with settings of its own.
const perRoute = 10_000

// T-CFG-05: ext_authz with settings for one route has crashed (CVE-2026-47205).
// Each such route gets ten thousand requests, among others to the application:
// every one is judged once, with its own body where the route has one.
func TestRoutesWithSettingsOfTheirOwnUnderLoad(t *testing.T) {
	const observed = "/saml/consume"
	r := newRig(t, func(r *rig) { r.settings.ObservedACS = []string{observed} })
	var mu sync.Mutex
	seen := map[string]int{} // by path and body
	r.check.does(func(_ context.Context, in *auth.CheckRequest) (*auth.CheckResponse, error) {
		request := in.GetAttributes().GetRequest().GetHttp()
		mu.Lock()
		defer mu.Unlock()
		seen[request.GetPath()+" "+string(request.GetRawBody())]++
		return refuse(403, "no"), nil
	})
	client := &http.Client{Timeout: patience, Transport: &http.Transport{MaxConnsPerHost: 8, MaxIdleConnsPerHost: 8}}
	t.Cleanup(client.CloseIdleConnections)
	paths := []string{acsPath, "/rolepass/saml/slo", observed, "/projects"}
	var group errgroup.Group
	group.SetLimit(8)
	for i := range perRoute * len(paths) {
		group.Go(func() error { return posts(client, r.addr, paths[i%len(paths)], i) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	for i := range perRoute * len(paths) {
		path := paths[i%len(paths)]
		key := fmt.Sprintf("%s SAMLResponse=%d", path, i)
		if path == "/projects" {
			continue // whose bodies Check does not see
		}
		if seen[key] != 1 {
			t.Fatalf("%s was judged %d times", key, seen[key])
		}
	}
	if n := seen["/projects "]; n != perRoute || len(seen) != (len(paths)-1)*perRoute+1 {
		t.Errorf("%d requests to the application were judged, %d different ones in all", n, len(seen))
	}
	r.untouched()
}

func posts(client *http.Client, addr, path string, i int) error {
	request, err := http.NewRequest("POST", "http://"+addr+path, strings.NewReader(fmt.Sprintf("SAMLResponse=%d", i)))
	if err != nil {
		return err
	}
	request.Host = publicHost
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if text, err := io.ReadAll(response.Body); err != nil || response.StatusCode != 403 || string(text) != "no" {
		return fmt.Errorf("%s: %d %q (%v)", path, response.StatusCode, text, err)
	}
	return nil
}

// floods are what has taken HTTP/2 servers down. Each writes one more frame, or
// two.
var floods = map[string]func(*http2.Framer, uint32) error{
	"rapid resets (CVE-2023-44487)": func(f *http2.Framer, i uint32) error {
		block := encoded([]string{":method", "GET", ":scheme", "http", ":authority", publicHost, ":path", "/projects"})
		if err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: 2*i + 1, BlockFragment: block, EndHeaders: true, EndStream: true}); err != nil {
			return err
		}
		return f.WriteRSTStream(2*i+1, http2.ErrCodeCancel)
	},
	"settings (CVE-2019-9515)": func(f *http2.Framer, i uint32) error {
		return f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1<<16 + i})
	},
	"pings (CVE-2019-9512)": func(f *http2.Framer, i uint32) error { return f.WritePing(false, [8]byte{byte(i)}) },
	"continuations (CVE-2024-27316)": func(f *http2.Framer, i uint32) error {
		if i == 0 {
			return f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: encoded([]string{":method", "GET", ":scheme", "http", ":authority", publicHost, ":path", "/projects"})})
		}
		return f.WriteContinuation(1, false, encoded([]string{"x-more", strings.Repeat("a", 1000)}))
	},
	"empty data (CVE-2019-9518)": func(f *http2.Framer, i uint32) error {
		if i == 0 {
			return f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: encoded([]string{":method", "POST", ":scheme", "http", ":authority", publicHost, ":path", "/projects"}), EndHeaders: true})
		}
		return f.WriteData(1, false, nil)
	},
}

// answered are floods whose every frame is answered; the answers are read here,
// so Envoy need not end them.
var answered = []string{"settings (CVE-2019-9515)", "pings (CVE-2019-9512)"}

// T-DOS-09: while one connection floods Envoy, others are served, and Envoy ends
// the one that floods.
func TestFloodsOfHTTP2AreEnded(t *testing.T) {
	for name, flood := range floods {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			conn, err := net.Dial("tcp", r.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			ended := make(chan error, 1)
			go func() { ended <- writes(conn, flood) }()
			for i := 0; ; i++ {
				began := time.Now()
				if got := r.send("GET /projects"); got.StatusCode != 200 {
					t.Fatalf("somebody else got %d", got.StatusCode)
				}
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("somebody else waited %s", took)
				}
				select {
				case err := <-ended:
					if over := errors.Is(err, os.ErrDeadlineExceeded) || err == nil; over && !slices.Contains(answered, name) {
						t.Errorf("the flood was not ended (%v)", err)
					}
					return
				default:
				}
			}
		})
	}
}

// enough is how many frames a flood has, if it is let.
const enough = 200_000

// writes floods a connection, and says how it was ended.
func writes(conn net.Conn, flood func(*http2.Framer, uint32) error) error {
	conn.SetDeadline(time.Now().Add(patience))
	read := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, conn)
		if err == nil {
			err = io.EOF
		}
		read <- err
	}()
	if _, err := fmt.Fprint(conn, http2.ClientPreface); err != nil {
		return err
	}
	framer := http2.NewFramer(conn, nil)
	if err := framer.WriteSettings(); err != nil {
		return err
	}
	for i := range uint32(enough) {
		if err := flood(framer, i); err != nil {
			return err
		}
	}
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	return <-read
}
