package e2e_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// wire sends request targets exactly as they stand to one address, over some
// connections that stay open.
type wire struct {
	network, address, host string
	headers                []string
	connections            int
}

// got is an answer; err is set when the server hung up instead.
type got struct {
	status   int
	location string
	body     []byte
	err      error
}

// sends gives the answer to each target, in their order.
func (w wire) sends(t *testing.T, targets []string) []got {
	t.Helper()
	answers := make([]got, len(targets))
	next := make(chan int)
	var group sync.WaitGroup
	for range w.connections {
		group.Go(func() {
			c := connection{wire: w}
			defer c.close()
			for i := range next {
				answers[i] = c.send(targets[i])
			}
		})
	}
	for i := range targets {
		next <- i
	}
	close(next)
	group.Wait()
	return answers
}

// connection is one connection, made anew when the server has ended it.
type connection struct {
	wire
	conn   net.Conn
	reader *bufio.Reader
}

func (c *connection) close() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

// send tries once more on a new connection when an old one fails, which may
// have ended for the sake of the request before.
func (c *connection) send(target string) got {
	old := c.conn != nil
	answer := c.once(target)
	if answer.err != nil && old {
		answer = c.once(target)
	}
	return answer
}

func (c *connection) once(target string) (answer got) {
	defer func() {
		if answer.err != nil {
			c.close()
		}
	}()
	if c.conn == nil {
		conn, err := net.Dial(c.network, c.address)
		if err != nil {
			return got{err: err}
		}
		c.conn, c.reader = conn, bufio.NewReader(conn)
	}
	if err := c.conn.SetDeadline(time.Now().Add(rawPatience)); err != nil {
		return got{err: err}
	}
	lines := append([]string{"GET " + target + " HTTP/1.1", "Host: " + c.host}, c.headers...)
	if _, err := io.WriteString(c.conn, strings.Join(lines, "\r\n")+"\r\n\r\n"); err != nil {
		return got{err: err}
	}
	response, err := http.ReadResponse(c.reader, &http.Request{Method: "GET"})
	if err != nil {
		return got{err: err}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if response.Close {
		c.close()
	}
	return got{status: response.StatusCode, location: response.Header.Get("Location"), body: body, err: err}
}
