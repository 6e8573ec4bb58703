// Package e2e_test tells the stories of Rolepass through the real parts: Envoy
// with the bootstrap that Rolepass writes, Label Studio, an S3 server that
// checks signatures and policies, a token service, an identity provider, and
// a browser. `make test` finds or builds them all.
package e2e_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/rolepass/rolepass/e2e/canary"
	"github.com/rolepass/rolepass/e2e/stack"
)

// startPatience is how long all parts together may take to start, and
// composedPatience how long in containers, where Keycloak is one of them.
const (
	startPatience    = 5 * time.Minute
	composedPatience = 15 * time.Minute
)

// composed says that the stories are told about docker-compose.yml; see make
// e2e-compose.
var composed = os.Getenv("ROLEPASS_STACK") == "compose"

// wards is how many roles the ward has.
const wards = 5

// artefacts is where pictures of the tests are kept, below e2e.
const artefacts = "artefacts"

var start = sync.OnceValues(func() (*stack.Stack, error) {
	dir, err := os.MkdirTemp("", "rolepass-e2e-")
	if err != nil {
		return nil, err
	}
	if composed {
		ctx, cancel := context.WithTimeout(context.Background(), composedPatience)
		defer cancel()
		return stack.StartComposed(ctx, stack.Options{Dir: dir, Progress: os.Stderr, Secrets: &secrets})
	}
	tools, err := stack.FromEnvironment()
	if err != nil {
		return nil, err
	}
	ctx, cancel := startContext()
	defer cancel()
	return stack.Start(ctx, stack.Options{Dir: dir, Tools: tools, Progress: os.Stderr, Careless: true, Wards: wards,
		Mesh: os.Getenv("ROLEPASS_MESH"), EnvoyGateway: os.Getenv("ROLEPASS_ENVOY_GATEWAY"), Secrets: &secrets})
})

func startContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), startPatience)
}

// secrets is what the stories must not leave written anywhere.
var secrets canary.Suite

// started remembers whether any test needed the stack.
var started sync.Once
var used bool

// running gives the one stack that all stories share.
func running(t testing.TB) *stack.Stack {
	t.Helper()
	started.Do(func() { used = true })
	s, err := start()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestMain ends the stack, and then looks for the secrets of all stories in what
// the parts have written.
func TestMain(m *testing.M) {
	var dir string
	code := secrets.After(m, func() { dir = ends() }).Run()
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// ends ends the stack, if any test needed it, and gives its folder.
func ends() string {
	if !used {
		return ""
	}
	s, err := start()
	if err != nil {
		return ""
	}
	s.Stop()
	return s.Dir
}
