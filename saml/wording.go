package saml

import (
	"strings"
	"time"
)

// difference names what is hard to see.
func difference(got, want string) string {
	switch {
	case strings.EqualFold(got, want):
		return " (they differ in upper and lower case)"
	case strings.TrimSuffix(got, "/") == strings.TrimSuffix(want, "/"):
		return " (they differ in the slash at the end)"
	case strings.TrimPrefix(strings.TrimPrefix(got, "https://"), "http://") == strings.TrimPrefix(strings.TrimPrefix(want, "https://"), "http://"):
		return " (they differ in http and https)"
	default:
		return ""
	}
}

// near hints at an attribute that was probably meant.
func (h *hearing) near(name string) string {
	if found := h.said.nearMiss(name); found != "" {
		return " (it has \"" + shown(found) + "\"; names count to the letter, and Entra puts Namespace and Name together)"
	}
	return ""
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func shownAll(values []string) []string {
	out := make([]string, len(values))
	for i, value := range values {
		out[i] = shown(value)
	}
	return out
}
