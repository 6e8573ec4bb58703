package e2e_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// rawPatience bounds one request that is written by hand.
const rawPatience = 30 * time.Second

// raw sends a request target exactly as it stands, which no client library
// does, with the visitor's cookies.
func (v *visitor) raw(method, target string, headers ...string) answer {
	v.t.Helper()
	public, err := url.Parse(v.demo.Public)
	if err != nil {
		v.t.Fatal(err)
	}
	lines := []string{method + " " + target + " HTTP/1.1", "Host: " + public.Host, "Connection: close"}
	for _, cookie := range v.client.Jar.Cookies(public) {
		lines = append(lines, "Cookie: "+cookie.Name+"="+cookie.Value)
	}
	conn, err := v.connects(public)
	if err != nil {
		v.t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(rawPatience)); err != nil {
		v.t.Fatal(err)
	}
	if _, err := io.WriteString(conn, strings.Join(append(lines, headers...), "\r\n")+"\r\n\r\n"); err != nil {
		v.t.Fatal(err)
	}
	request := &http.Request{Method: method, URL: &url.URL{Scheme: public.Scheme, Host: public.Host, Opaque: target}}
	response, err := http.ReadResponse(bufio.NewReader(conn), request)
	if err != nil {
		v.t.Fatalf("%s: %v", target, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return answer{response, body}
}

// connects opens a connection to an address, with TLS where it has that.
func (v *visitor) connects(to *url.URL) (net.Conn, error) {
	if to.Scheme == "https" {
		return tls.Dial("tcp", to.Host, running(v.t).TLS())
	}
	return net.Dial("tcp", to.Host)
}
