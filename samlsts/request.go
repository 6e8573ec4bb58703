package samlsts

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxBody bounds a request, in bytes. Base64 has two characters in 64 that form
// encoding triples, so 100,000 characters of it are some 107,000 bytes.
const maxBody = 256 << 10

// DurationSeconds has these bounds (STS API reference); a role's own maximum
// is below the second.
const (
	minSeconds     = 900
	maxSeconds     = 43200
	defaultSeconds = 3600
)

const (
	action  = "AssumeRoleWithSAML"
	version = "2011-06-15"
)

// request is the call as the form states it, with its bounds checked.
type request struct {
	roleARN, principalARN string
	encoded               string
	// duration is zero where DurationSeconds is not given.
	duration time.Duration
	policy   string
}

// readRequest reads the form of one call. Parameters that this endpoint does
// not know are refused: a misspelt Policy would widen rights in silence.
func readRequest(w http.ResponseWriter, r *http.Request) (*request, error) {
	form, err := readForm(w, r)
	if err != nil {
		return nil, err
	}
	if err := operation(form); err != nil {
		return nil, err
	}
	for key, values := range form {
		if err := known(key, values); err != nil {
			return nil, err
		}
	}
	q := &request{roleARN: form.Get("RoleArn"), principalARN: form.Get("PrincipalArn"), encoded: form.Get("SAMLAssertion"), policy: form.Get("Policy")}
	for _, p := range []struct {
		name, value string
		min, max    int
	}{{"roleArn", q.roleARN, 20, 2048}, {"principalArn", q.principalARN, 20, 2048}, {"sAMLAssertion", q.encoded, 4, maxEncoded}} {
		if err := length(p.name, p.value, p.min, p.max); err != nil {
			return nil, err
		}
	}
	if q.duration, err = duration(form); err != nil {
		return nil, err
	}
	if form.Has("Policy") {
		return q, checkPolicy(q.policy)
	}
	return q, nil
}

// readForm reads the body; a parameter in the request line would be logged by
// whatever stands in between, so there is none.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if r.URL.Path != "/" || r.URL.RawQuery != "" {
		return nil, refuse(http.StatusNotFound, "InvalidAction", "Send the parameters as a form in the body of POST /, without a query")
	}
	if r.Method != http.MethodPost {
		return nil, refuse(http.StatusMethodNotAllowed, "InvalidAction", "This endpoint answers POST only: an assertion in a request line would end up in access logs")
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, refuse(http.StatusBadRequest, "InvalidAction", "The body must be application/x-www-form-urlencoded")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, refuse(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "The body could not be read, or has more than %d bytes", maxBody)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || !utf8.Valid(body) {
		return nil, refuse(http.StatusBadRequest, "MalformedQueryString", "The body is not a well-formed form")
	}
	return form, nil
}

// operation makes sure that the one operation is asked for which there is.
func operation(form url.Values) error {
	switch {
	case form.Get("Action") == "":
		return refuse(http.StatusBadRequest, "MissingAction", "The parameter Action is missing")
	case form.Get("Action") != action || form.Get("Version") != version:
		return refuse(http.StatusBadRequest, "InvalidAction", "Could not find this operation: the endpoint has only %s in version %s", action, version)
	}
	return nil
}

var parameterName = regexp.MustCompile(`^[A-Za-z0-9.]{1,64}$`)

// known refuses parameters that are unknown or given twice.
func known(key string, values []string) error {
	if len(values) != 1 {
		return validation("A parameter is given more than once")
	}
	if strings.HasPrefix(key, "PolicyArns") {
		if values[0] == "" {
			return nil // how some SDKs write an empty list
		}
		return validation("PolicyArns is not supported: the store behind this endpoint has no managed policies. Pass the policy itself as Policy")
	}
	switch key {
	case "Action", "Version", "RoleArn", "PrincipalArn", "SAMLAssertion", "DurationSeconds", "Policy":
		return nil
	}
	if !parameterName.MatchString(key) {
		key = "of that name"
	}
	return validation("The parameter %s is not supported by this endpoint", key)
}

func length(name, value string, min, max int) error {
	switch n := utf8.RuneCountInString(value); {
	case value == "":
		return validation("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", name)
	case n < min:
		return constraint(name, "Member must have length greater than or equal to "+strconv.Itoa(min))
	case n > max:
		return constraint(name, "Member must have length less than or equal to "+strconv.Itoa(max))
	}
	return nil
}

var digits = regexp.MustCompile(`^[0-9]{1,9}$`)

// duration reads DurationSeconds; zero where it is not given.
func duration(form url.Values) (time.Duration, error) {
	if !form.Has("DurationSeconds") {
		return 0, nil
	}
	text := form.Get("DurationSeconds")
	seconds, err := strconv.Atoi(text)
	switch {
	case err != nil || !digits.MatchString(text):
		return 0, validation("DurationSeconds must be a number of seconds")
	case seconds < minSeconds:
		return 0, constraint("durationSeconds", "Member must have value greater than or equal to "+strconv.Itoa(minSeconds))
	case seconds > maxSeconds:
		return 0, constraint("durationSeconds", "Member must have value less than or equal to "+strconv.Itoa(maxSeconds))
	}
	return time.Duration(seconds) * time.Second, nil
}
