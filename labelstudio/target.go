package labelstudio

import (
	"strings"

	"github.com/rolepass/rolepass/refusal"
)

// maxPath bounds a path in bytes. The longest that the application has names
// an uploaded file: 255 bytes of it, three times that when escaped.
const maxPath = 4 << 10

// Target takes a request target apart, or refuses it. It is not url.Parse, which
// would read a host out of //host/path and a fragment where an HTTP server sees
// none.
func Target(method, target string) (path, query string, r *refusal.Refusal) {
	if !strings.HasPrefix(target, "/") {
		return "", "", malformed(CodeTarget, "The request target is not a path; a browser sends one that begins with a slash.")
	}
	for i := range len(target) {
		if c := target[i]; c <= ' ' || c >= 0x7f || c == '#' {
			return "", "", malformed(CodeTarget, "The request target holds a byte that must be percent-encoded; a browser would have done so.")
		}
	}
	if !knownMethod(method) {
		return "", "", refusal.New(refusal.MethodNotAllowed, CodeMethod, "The method is not one that Label Studio has; use an ordinary one.")
	}
	path, query, _ = strings.Cut(target, "?")
	if len(path) > maxPath {
		return "", "", malformed(CodePath, "The path is longer than any of Label Studio's.")
	}
	return path, query, nil
}

// Below takes the path off a request target at which the application stands,
// such as /label: what is left is the target as the application knows it. It is
// false for a target that is not below the path in exactly this spelling.
func Below(mount, target string) (string, bool) {
	rest, ok := strings.CutPrefix(target, mount)
	return rest, ok && strings.HasPrefix(rest, "/") || mount == ""
}

// knownMethod leaves out CONNECT and TRACE, and whatever else a proxy might
// know and Label Studio does not.
func knownMethod(method string) bool {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return true
	}
	return false
}
