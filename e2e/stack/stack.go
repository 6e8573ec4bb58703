package stack

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rolepass/rolepass/e2e/canary"
	"github.com/rolepass/rolepass/e2e/demo/idp"
)

// Options say where and with what. Dir and Tools are required.
type Options struct {
	// Dir gets everything that the parts write; it is made if need be.
	Dir   string
	Tools Tools
	// Progress is told what happens. Nil means nobody.
	Progress io.Writer
	// PublicPort is where the application is; 0 means any that is free.
	PublicPort int
	// Careless gives Label Studio what no operator should: a key of its machine
	// that reads every bucket, as an instance role may, and the certainty of its
	// own address with which exports pack media. Attacks need it.
	Careless bool
	// Partners are identity providers beside the demonstration's own, which
	// run already.
	Partners []Partner
	// Wards is how many roles more there are at the demonstration's own identity
	// provider, all of which Ward has. Each reads what the researchers read.
	Wards int
	// Mesh is the program of e2e/istio/meshd: Envoy is then an ingress gateway
	// that has its configuration from istiod. Empty: it has Rolepass's.
	Mesh string
	// Secrets gets what nobody may read, and where the parts write. Nil means
	// that nobody looks.
	Secrets *canary.Suite
	// EnvoyGateway is the program of that name: it starts Envoy, and gives it its
	// configuration. Empty: Envoy has Rolepass's.
	EnvoyGateway string
}

// Stack is everything, running.
type Stack struct {
	Options
	Demo Demo

	rootSecret, roleSecret, appSecret, secretKey string

	store      string   // MinIO itself
	sts        string   // samlsts itself
	direct     *url.URL // Label Studio itself
	app        string   // the recorder before it
	recorder   http.Handler
	atApp      *http.Server // serves the recorder
	atIdP      *http.Server // serves the identity provider
	issuer     issuer       // of pods' tokens
	listen     string       // Envoy's address
	observed   string       // Envoy's address before an application that signs in itself
	besides    besides
	envoyAdmin string
	idp        *idp.Provider
	guardian   *Guardian
	composed   *composition   // nil unless it runs in containers
	roots      *x509.CertPool // of its https addresses
	ports      chosen
	projectIDs map[string]int64
	// environment is what Rolepass sees of it beside the usual.
	environment []string
	// config is what rolepass.yaml says.
	config  map[string]any
	objects map[string][]byte

	outage    atomic.Int32 // of Label Studio
	mu        sync.Mutex
	processes []*process
	servers   []*http.Server
	files     []io.Closer
	stopped   sync.Once
}

// Start starts everything and returns when it is ready. What was started is
// ended again when something fails.
func Start(ctx context.Context, o Options) (*Stack, error) {
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	o.Dir = dir
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	s := &Stack{Options: o, objects: map[string][]byte{}, rootSecret: rand.Text(), roleSecret: rand.Text(), appSecret: rand.Text(), secretKey: rand.Text() + rand.Text()}
	s.describe()
	s.watch()
	if s.guardian, err = NewGuardian(); err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// start goes in the order of who needs whom; Label Studio takes longest, so
// the programs are built and the store filled meanwhile.
func (s *Stack) start(ctx context.Context) error {
	if err := s.choosesPort(); err != nil {
		return err
	}
	if err := s.step("the identity provider", s.startIdP); err != nil {
		return err
	}
	together, inner := errgroup.WithContext(ctx)
	together.Go(func() error { return s.step("Label Studio", func() error { return s.startLabelStudio(inner) }) })
	together.Go(func() error { return s.step("building Rolepass", func() error { return s.builds(inner) }) })
	together.Go(func() error {
		return s.step("the S3 server, with objects", func() error { return s.startStore(inner) })
	})
	if err := together.Wait(); err != nil {
		return err
	}
	for _, next := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"the token service", s.startSTS},
		{"projects and tasks in Label Studio", s.seed},
		{"Rolepass's configuration", s.configure},
		{"Rolepass", s.startRolepass},
		{"Envoy", s.startEnvoy},
	} {
		if err := s.step(next.what, func() error { return next.do(ctx) }); err != nil {
			return err
		}
	}
	return nil
}

// step does one thing and says how long it took.
func (s *Stack) step(what string, do func() error) error {
	began := time.Now()
	if err := do(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.Progress, "  %-36s %5.1f s\n", what, time.Since(began).Seconds())
	return nil
}

// choosesPort finds where the application is to be.
func (s *Stack) choosesPort() error {
	if s.PublicPort != 0 && !PortFree(s.PublicPort) {
		return fmt.Errorf("port %d is taken: name another, or 0 for any", s.PublicPort)
	}
	s.listen = loopback(s.PublicPort)
	if s.PublicPort == 0 {
		var err error
		if s.listen, err = s.ports.address(); err != nil {
			return err
		}
	}
	var err error
	if s.Demo.Public, err = public(s.listen); err != nil {
		return err
	}
	addresses, err := s.ports.addresses(7)
	if err != nil {
		return err
	}
	s.observed, s.besides = addresses[0], besides{redirecting: addresses[1], viewer: addresses[2], mounted: addresses[3], alone: addresses[4], balanced: addresses[5], replicas: addresses[6]}
	return nil
}

// public is how a browser names one of our addresses.
func public(listen string) (string, error) {
	_, port, err := net.SplitHostPort(listen)
	return "http://localhost:" + port, err
}

// servesOn answers on a listener until the stack stops.
func (s *Stack) servesOn(listener net.Listener, handler http.Handler) *http.Server {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	s.mu.Lock()
	s.servers = append(s.servers, server)
	s.mu.Unlock()
	return server
}

// Stop ends everything, the last first. It may be called twice.
func (s *Stack) Stop() {
	s.stopped.Do(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.composed != nil {
			s.stopComposed()
			for _, file := range s.files {
				_ = file.Close()
			}
			return
		}
		for _, p := range slices.Backward(s.processes) {
			s.ends(p)
		}
		_ = s.guardian.Close() // it has nothing left to end
		for _, server := range s.servers {
			_ = server.Close()
		}
		for _, file := range s.files {
			_ = file.Close()
		}
	})
}

// Died gives the name of each program of the stack that ends by itself, once.
func (s *Stack) Died(ctx context.Context) <-chan string {
	died := make(chan string)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.processes {
		go func() {
			select {
			case <-p.exited:
				select {
				case died <- p.name:
				case <-ctx.Done():
				}
			case <-ctx.Done():
			}
		}()
	}
	return died
}
