package labelstudio

import (
	"strconv"
	"strings"

	"github.com/rolepass/rolepass/refusal"
)

// fetch is the path of a fetch, read.
type fetch struct{ task, project int64 }

// fetchPath reads a path that is exactly
//
//	/(tasks|projects)/<id>/(resolve|presign)[/]
//
// with an id of 1 to 18 digits that does not begin with 0: what Label Studio
// writes, and the form without the last slash, which it also serves.
func fetchPath(path string) (fetch, bool) {
	owner, rest, _ := strings.Cut(strings.TrimSuffix(path[1:], "/"), "/")
	number, action, _ := strings.Cut(rest, "/")
	if action != "resolve" && action != "presign" {
		return fetch{}, false
	}
	id, ok := identifier(number)
	switch {
	case ok && owner == "tasks":
		return fetch{task: id}, true
	case ok && owner == "projects":
		return fetch{project: id}, true
	}
	return fetch{}, false
}

func identifier(digits string) (int64, bool) {
	if len(digits) == 0 || len(digits) > 18 || digits[0] == '0' {
		return 0, false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, false
		}
	}
	id, err := strconv.ParseInt(digits, 10, 64)
	return id, err == nil
}

// Tested are the versions of Label Studio whose routes are all known here. The
// service warns when it meets another.
func Tested() []string { return []string{"1.23.2"} }

// anonymous says that a request is for everybody: whether Label Studio runs,
// which load balancers ask and which names nothing. In this spelling only, and
// without a query.
func anonymous(method, target string) bool {
	return (method == "GET" || method == "HEAD") && (target == "/health" || target == "/health/")
}

// door refuses a form of a path through which data leaves other than by an
// exact fetch. It looks anywhere in the path, because the application may be
// mounted below a prefix and matches one of these routes unanchored, and in
// any case, because some server in between may fold it.
func door(segments []string) *refusal.Refusal {
	for i, segment := range segments {
		switch {
		case i >= 2 && oneOf(segment, "resolve", "presign") && oneOf(segments[i-2], "tasks", "projects"):
			return malformed(CodeFetchPath, "The path can be read as a fetch of an object, but is not written as Label Studio writes one; nothing that Label Studio shows leads here.")
		case i >= 1 && strings.EqualFold(segment, "local-files") && hasSuffixFold(segments[i-1], "data"):
			return refusal.New(refusal.Forbidden, CodeLocalFiles, "Files on Label Studio's own disk are not served, because no role guards them; keep data in S3.")
		case strings.EqualFold(segment, "storage-data"):
			return refusal.New(refusal.Forbidden, CodeAppMedia, "Objects in Label Studio's own upload bucket are not served, because it would read them with its own key; keep data in a bucket that roles guard.")
		}
	}
	return nil
}

// page says whether a form of a path is one of the pages that Rolepass answers
// in the application's place.
func page(segments []string) Kind {
	switch {
	case len(segments) == 1 && strings.EqualFold(segments[0], "logout"):
		return Logout
	case len(segments) == 2 && strings.EqualFold(segments[0], "user") && oneOf(segments[1], "login", "signup"):
		return SignIn
	}
	return App
}

// segments are the parts of a path that are not empty, without the dots and
// spaces at their ends that some file-minded servers drop.
func segments(form string) []string {
	out := make([]string, 0, strings.Count(form, "/")+1)
	for segment := range strings.SplitSeq(form, "/") {
		if segment = strings.TrimRight(segment, ". "); segment != "" {
			out = append(out, segment)
		}
	}
	return out
}

func oneOf(s, a, b string) bool { return strings.EqualFold(s, a) || strings.EqualFold(s, b) }

func hasSuffixFold(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}
