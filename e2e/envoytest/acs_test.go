package envoytest_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/envoy/contract"
)

func TestACSBodyReachesCheckWhole(t *testing.T) {
	r := newRig(t)
	for name, body := range map[string]string{
		"empty":          "",
		"ordinary":       "SAMLResponse=" + strings.Repeat("QUJD", 5000) + "&RelayState=x",
		"beyond UTF-8":   "SAMLResponse=\xff\xfe\x00\x80",
		"as long as may": strings.Repeat("A", contract.MaxACSBody),
	} {
		got := r.post(acsPath, body)
		http := r.check.last().GetAttributes().GetRequest().GetHttp()
		if string(http.GetRawBody()) != body || http.GetBody() != "" {
			t.Errorf("%s: Check saw %d of %d bytes, and %d as text", name, len(http.GetRawBody()), len(body), len(http.GetBody()))
		}
		if got.StatusCode != 421 {
			t.Errorf("%s: passed by Check, the ACS leads to %d, want 421", name, got.StatusCode)
		}
	}
	body := "SAMLResponse=chunked"
	r.raw(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", acsPath, publicHost, len(body), body))
	if got := r.check.last().GetAttributes().GetRequest().GetHttp(); string(got.GetRawBody()) != body {
		t.Errorf("chunked: Check saw %q", got.GetRawBody())
	}
	r.post(acsPath+"?idp=corp", "SAMLResponse=query")
	if got := r.check.last().GetAttributes().GetRequest().GetHttp(); string(got.GetRawBody()) != "SAMLResponse=query" || got.GetPath() != acsPath+"?idp=corp" {
		t.Errorf("with a query: Check saw %q at %s", got.GetRawBody(), got.GetPath())
	}
	r.untouched()
}

func TestTooLongACSBodyIsRefusedUnread(t *testing.T) {
	r := newRig(t)
	long := strings.Repeat("A", contract.MaxACSBody+1)
	for name, request := range map[string]string{
		"with a length": fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", acsPath, publicHost, len(long), long),
		"chunked":       fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", acsPath, publicHost, len(long), long),
	} {
		if got := r.raw(request); got.StatusCode != 413 {
			t.Errorf("%s: %d, want 413", name, got.StatusCode)
		}
	}
	if n := r.check.count(); n != 0 {
		t.Errorf("Check was asked %d times", n)
	}
	r.untouched()
}

// Bodies for anything but the ACS are none of Check's business.
func TestOtherBodiesAreNotShown(t *testing.T) {
	r := newRig(t)
	for _, target := range []string{"/api/import", acsPath + "/", strings.ToUpper(acsPath), "/" + acsPath, "/rolepass/saml/./acs", acsPath + ";x"} {
		r.post(target, "secret form")
		if got := r.check.last().GetAttributes().GetRequest().GetHttp(); len(got.GetRawBody())+len(got.GetBody()) != 0 {
			t.Errorf("%s: Check saw a body", target)
		}
	}
	for _, host := range []string{"evil.test"} {
		r.raw("POST " + acsPath + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\nContent-Length: 5\r\n\r\nabcde")
		if got := r.check.last().GetAttributes().GetRequest().GetHttp(); len(got.GetRawBody())+len(got.GetBody()) != 0 {
			t.Errorf("host %s: Check saw a body", host)
		}
	}
}

// An upload streams: the application reads its beginning while the client
// still holds back the end, and no limit of the ACS applies to it.
func TestUploadsStreamThrough(t *testing.T) {
	r := newRig(t)
	const size = 8 << 20
	began := make(chan struct{})
	received := make(chan int64, 1)
	handler := http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		first := make([]byte, 1)
		io.ReadFull(request.Body, first)
		close(began)
		rest, _ := io.Copy(io.Discard, request.Body)
		received <- rest + 1
	})
	r.app.Config.Handler = handler

	conn, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(conn, "POST /api/import HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n", publicHost, size)
	if _, err := io.WriteString(conn, strings.Repeat("A", 64<<10)); err != nil {
		t.Fatal(err)
	}
	select {
	case <-began:
	case <-time.After(patience):
		t.Fatal("the application saw nothing before the upload was complete")
	}
	if _, err := io.WriteString(conn, strings.Repeat("A", size-64<<10)); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("%v %v", response, err)
	}
	if got := <-received; got != size {
		t.Errorf("the application got %d bytes, want %d", got, size)
	}
}
