package stack

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/url"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"
)

// Replicas are several Rolepasses before the same Label Studio, which share
// their state.
//
// Each has an Envoy of its own, as most deployments have them: in one pod, or on
// one host, behind a load balancer. All are at one public address, where nobody
// listens: who fetches chooses the replica, as a balancer would. One Envoy with
// several endpoints in the cluster of Check would choose by itself, and a test
// could not say which of them saw a login.
type Replicas struct {
	Public string
	Each   []*Replica
	State  *Valkey
}

// Replica is one of them.
type Replica struct {
	*Beside
	// Envoy is where its Envoy listens.
	Envoy string

	stack *Stack
}

// PerReplicas is how many sessions a person may have on all replicas together.
const PerReplicas = 9

// Replicated starts so many, and the program of a Valkey or Redis server.
func (s *Stack) Replicated(ctx context.Context, valkey string, n int) (*Replicas, error) {
	r := &Replicas{Each: make([]*Replica, n)}
	var err error
	if r.Public, err = public(s.besides.replicas); err != nil {
		return nil, err
	}
	if r.State, err = s.startValkey(ctx, valkey); err != nil {
		return nil, err
	}
	together, inner := errgroup.WithContext(ctx)
	for i, name := range []string{"replica-a", "replica-b", "replica-c"}[:n] {
		together.Go(func() (err error) {
			r.Each[i], err = s.startReplica(inner, r, name)
			return err
		})
	}
	return r, together.Wait()
}

func (s *Stack) startReplica(ctx context.Context, r *Replicas, name string) (*Replica, error) {
	envoy, err := s.ports.address()
	if err != nil {
		return nil, err
	}
	b, err := s.startBeside(ctx, name, envoy, map[string]any{
		"public_url": r.Public, "state": r.State.Settings, "session": map[string]any{"per_person": PerReplicas},
		"admin_socket": filepath.Join(s.Dir, name+".sock"),
	})
	if err != nil {
		return nil, err
	}
	b.Public = r.Public
	return &Replica{Beside: b, Envoy: envoy, stack: s}, nil
}

// Dies ends Rolepass without its doing. Its Envoy goes on.
func (r *Replica) Dies() { r.stack.kills(r.rolepass) }

// Starts starts it again, and returns when it is ready.
func (r *Replica) Starts(ctx context.Context) error {
	if err := r.stack.runsBeside(r.Beside); err != nil {
		return err
	}
	return r.rolepass.await(ctx, r.rolepass.admin+"/readyz")
}

// With runs Rolepass anew with other keys of state, nil for none, does something once it runs,
// ready or not, and starts it again as it was.
func (r *Replica) With(ctx context.Context, state map[string]any, do func()) (err error) {
	was := r.config
	config := maps.Clone(r.settings)
	all, _ := config["state"].(map[string]any)
	all = maps.Clone(all)
	maps.Copy(all, state)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	config["state"] = all
	if r.config, err = r.stack.writesYAML(r.name+"-changed.yaml", config); err != nil {
		return err
	}
	r.stack.ends(r.rolepass)
	// Also when do ends the test.
	defer func() {
		r.stack.ends(r.rolepass)
		r.config = was
		err = errors.Join(err, r.Starts(ctx))
	}()
	if err := r.stack.runsBeside(r.Beside); err != nil {
		return err
	}
	if err := r.rolepass.await(ctx, r.rolepass.admin+"/healthz"); err != nil {
		return err
	}
	do()
	return nil
}

// Rolepass runs one of Rolepass's commands with the replica's configuration, and
// gives what it said.
func (r *Replica) Rolepass(ctx context.Context, args ...string) (string, error) {
	var out bytes.Buffer
	err := r.stack.rolepass(ctx, &out, slices.Concat(args, []string{"--config", r.config})...)
	return out.String(), err
}

// Logout is what the identity provider has a browser post to the replicas' logout
// service when somebody signs out there.
func (s *Stack) Logout(r *Replicas, person string) (address string, form url.Values) {
	address = r.Public + "/rolepass/saml/slo"
	field, value := s.idp.Logout(person, address)
	return address, url.Values{field: {value}}
}
