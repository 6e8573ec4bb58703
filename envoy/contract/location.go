package contract

import (
	"errors"
	"slices"
	"strings"
)

// LocationHeader is the usual name of the request header in which an
// application is told where an object is.
const LocationHeader = "x-rolepass-location"

// CheckLocationHeader says why a name cannot be that header's, if so. A client
// loses it before anything reads it, so it must be none that means something
// already.
func CheckLocationHeader(name string) error {
	taken := []string{APIKey, RequestID, "x-csrftoken", "x-real-ip"}
	if !strings.HasPrefix(name, "x-") || len(name) < 3 || len(name) > 64 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || slices.Contains(taken, name) {
		return errors.New("the header for locations must be one of its own: lower case, begun with x-, such as " + LocationHeader)
	}
	for _, prefix := range []string{"x-amz-", "x-envoy-", "x-forwarded-"} {
		if strings.HasPrefix(name, prefix) {
			return errors.New("the header for locations begins with " + prefix + ", which has a meaning of its own: take another, such as " + LocationHeader)
		}
	}
	return nil
}
