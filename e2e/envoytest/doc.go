// Package envoytest proves on the wire what package envoy promises: its tests
// start a real Envoy with the generated bootstrap between a scripted Check, an
// application and an S3 server that only record.
//
// ROLEPASS_ENVOY names the Envoy binary, and ROLEPASS_ENVOY_OLDEST the oldest
// that is supported, with which everything runs once more; `make test` sets
// both.
package envoytest
