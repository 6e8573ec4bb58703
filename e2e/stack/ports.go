package stack

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"syscall"
)

// Ports for programs are chosen below those that systems give to connections
// and to listeners that ask for any (from 32768 on Linux, 49152 on macOS), so
// that nobody is given one between the choice and the program's start.
const (
	firstPort = 20000
	lastPort  = 32000
	portTries = 200
)

// chosen are the ports that this process has given away.
type chosen struct {
	mu    sync.Mutex
	ports map[int]bool
}

// address is a loopback address where nobody listens, given once.
func (c *chosen) address() (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for range portTries {
		port := firstPort + rand.IntN(lastPort-firstPort)
		if c.ports[port] || !PortFree(port) {
			continue
		}
		if c.ports == nil {
			c.ports = map[int]bool{}
		}
		c.ports[port] = true
		return loopback(port), nil
	}
	return "", fmt.Errorf("no free port was found from %d to %d", firstPort, lastPort)
}

// addresses gives several.
func (c *chosen) addresses(n int) ([]string, error) {
	var all []string
	for range n {
		address, err := c.address()
		if err != nil {
			return nil, err
		}
		all = append(all, address)
	}
	return all, nil
}

// PortFree says whether nobody listens on a port of the loopback, as IPv4 or
// IPv6: browsers try both for localhost.
func PortFree(port int) bool {
	for _, host := range []string{"127.0.0.1", "::1"} {
		listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if host == "::1" && err != nil && !errors.Is(err, syscall.EADDRINUSE) {
			continue // a machine without IPv6
		}
		if err != nil {
			return false
		}
		_ = listener.Close()
	}
	return true
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
