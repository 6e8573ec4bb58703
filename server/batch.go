package server

import (
	"net"
	"runtime"
)

// batching is a listener whose connections let others go first before they
// write. grpc writes an answer at once when it has more than a kilobyte, as a
// signed location has, so that each answer is a system call of its own here and
// a read of its own in Envoy, which together cost as much as the decision. The
// answers that are ready a moment later go out together. When nobody else has
// anything to do, nothing waits.
type batching struct{ net.Listener }

// Batching makes the connections of a listener write many answers at once.
func Batching(l net.Listener) net.Listener { return batching{l} }

func (l batching) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return yielding{conn}, nil
}

// yielding is a connection whose writer goes to the end of the run queue
// first. What is decided meanwhile is grpc's next write.
type yielding struct{ net.Conn }

func (c yielding) Write(b []byte) (int, error) {
	runtime.Gosched()
	return c.Conn.Write(b)
}
