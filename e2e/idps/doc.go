// Package idps signs people in at identity providers that others wrote:
// Keycloak, SimpleSAMLphp, and the demonstration's own beside them, all with
// one Rolepass behind one Envoy. A story ends with an object that was fetched,
// or with the reason why it was not.
//
//	make test-idps
//
// The tests have the build tag idps, because Keycloak takes a minute to start:
// make test leaves them out, and .ci/run runs them when what they test has
// changed (e2e/lane).
package idps
