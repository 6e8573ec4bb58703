// Package stack starts the real parts of Rolepass's world on this machine, for
// demonstrations and tests: an S3 server, a token service, an identity
// provider, Label Studio with projects in it, Rolepass, and Envoy in front.
//
//	tools, err := stack.FromEnvironment()
//	s, err := stack.Start(ctx, stack.Options{Dir: dir, Tools: tools, Progress: os.Stderr})
//	defer s.Stop()
//	http.Get(s.Demo.Public)
//
// Everything listens on loopback, on ports that were free. The application is
// on localhost and the identity provider on 127.0.0.1: two sites to a browser,
// so that its cookie rules are the real ones.
//
// It installs nothing; see e2e/install.
package stack
