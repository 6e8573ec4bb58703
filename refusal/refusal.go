// Package refusal holds the one type in which Rolepass says no.
//
// A Refusal has a code that tests, logs and metrics can rely on, a sentence
// for the operator, and a class that says what kind of no it is. The class is
// all that the wire needs (package login maps it to an HTTP status); the
// sentence is never sent to a browser, because it may say what an attacker
// would like to know. Neither holds a secret, an object key or an assertion.
package refusal

import (
	"errors"
	"fmt"
)

// Code names one reason, in snake_case. Codes are stable: they are part of
// the audit log and of what `rolepass debug assertion` prints.
type Code string

// Class is the kind of a refusal. There are few, and each has one status.
type Class int

const (
	// Forbidden: the person is known and may not. It is the zero value, so
	// that a Refusal without a class still refuses.
	Forbidden Class = iota
	// Malformed: the request cannot be read strictly.
	Malformed
	// Unauthenticated: nobody is signed in.
	Unauthenticated
	// MethodNotAllowed: the method is not one that this target has.
	MethodNotAllowed
	// Misdirected: the request is for a host that is not ours.
	Misdirected
	// TooLarge: the body is larger than anything that could be right.
	TooLarge
	// Unavailable: something that the decision needs did not answer.
	Unavailable
	// TooMany: the person did this too often for now.
	TooMany
)

// Refusal is a decision with a code and a sentence. It is an error, so that
// it travels like one; Unwrap gives the cause, for the log only.
type Refusal struct {
	Code Code
	// Class says which kind of no this is.
	Class Class
	// Sentence tells the operator what happened and what to do next.
	Sentence string
	// Cause is the error underneath, if there is one.
	Cause error
}

// New makes a Refusal. The sentence is formatted as by fmt.Sprintf; nothing
// secret belongs into its arguments.
func New(class Class, code Code, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Class: class, Sentence: fmt.Sprintf(format, args...)}
}

// Because returns a copy of the refusal with the cause underneath it.
func (r *Refusal) Because(cause error) *Refusal {
	with := *r
	with.Cause = cause
	return &with
}

// CodeOf is the code of the refusal that an error is, or has underneath it;
// empty if there is none.
func CodeOf(err error) Code {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r.Code
	}
	return ""
}

// Error is the code and the sentence; the cause is left to whoever unwraps.
func (r *Refusal) Error() string { return string(r.Code) + ": " + r.Sentence }

// Unwrap gives the cause.
func (r *Refusal) Unwrap() error { return r.Cause }
