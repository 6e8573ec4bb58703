// Package chart_test holds the Helm chart against helm itself, against
// Kubernetes' own types and its Pod Security Standard, and against Rolepass:
// what it renders is read by Rolepass's loader, and started as a pod would be.
//
// It is a module of its own, so that none of helm's requirements are Rolepass's.
package chart_test
