package samlsts

import (
	"fmt"
	"net/http"
)

// Error is one refusal as AWS words it: Code and Message go to the caller and
// into the log. Codes are those of the STS API reference (AssumeRoleWithSAML
// and Common Errors); messages are AWS's where AWS documents one.
type Error struct {
	// Code is AWS's error code, such as InvalidIdentityToken.
	Code string
	// Message is one sentence. It holds no secret and no assertion.
	Message string
	// Status is the HTTP status, 400 to 599.
	Status int
	// Cause is for the operator's log only. Optional.
	Cause error
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// sender reports whether the caller is at fault.
func (e *Error) sender() bool { return e.Status < http.StatusInternalServerError }

func refuse(status int, code, format string, args ...any) *Error {
	return &Error{Code: code, Status: status, Message: fmt.Sprintf(format, args...)}
}

// invalid: the response is not one that this provider's IdP said so.
func invalid(format string, args ...any) *Error {
	return refuse(http.StatusBadRequest, "InvalidIdentityToken", format, args...)
}

// expired: the response is outside of its time.
func expired(message string) *Error {
	return refuse(http.StatusBadRequest, "ExpiredTokenException", "%s", message)
}

// denied: role, provider, trust and assertion do not belong together. AWS
// does not say which, and neither does the answer; the cause does.
func denied(format string, args ...any) *Error {
	e := refuse(http.StatusForbidden, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithSAML")
	e.Cause = fmt.Errorf(format, args...)
	return e
}

// validation: a parameter is outside of what the API takes.
func validation(format string, args ...any) *Error {
	return refuse(http.StatusBadRequest, "ValidationError", format, args...)
}

// constraint is a validation error in the words of AWS's request validation.
// The value itself is not repeated.
func constraint(parameter, rule string) *Error {
	return validation("1 validation error detected: Value at '%s' failed to satisfy constraint: %s", parameter, rule)
}

// malformedPolicy: the session policy is not one.
func malformedPolicy(format string, args ...any) *Error {
	return refuse(http.StatusBadRequest, "MalformedPolicyDocument", format, args...)
}

// unavailable: the store did not do its part.
func unavailable(cause error) *Error {
	e := refuse(http.StatusServiceUnavailable, "ServiceUnavailable", "The store behind this endpoint issued no credentials. Try again later.")
	e.Cause = cause
	return e
}

// internal: this program did not do its part.
func internal(cause error) *Error {
	e := refuse(http.StatusInternalServerError, "InternalFailure", "The request processing has failed because of an unknown error.")
	e.Cause = cause
	return e
}
