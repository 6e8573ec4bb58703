package telemetry

import (
	"io"
	"log/slog"
	"net/url"
	"strings"
)

const redacted = "[redacted]"

// secretNames are names of attributes that never hold anything to print, in
// lower case and without hyphens and underscores.
var secretNames = map[string]bool{
	"authorization": true, "proxyauthorization": true, "cookie": true, "setcookie": true, "xapikey": true,
	"token": true, "bearer": true, "accesstoken": true, "sessiontoken": true, "csrftoken": true, "jwt": true,
	"password": true, "secret": true, "secretkey": true, "secretaccesskey": true, "credentials": true, "signature": true,
	"assertion": true, "samlresponse": true, "relaystate": true, "nameid": true, "email": true,
	"xamzsecuritytoken": true, "xamzsignature": true, "xamzcredential": true,
	"object": true, "objectkey": true, "key": true, "fileuri": true, "uri": true, "location": true, "query": true, "body": true,
}

// NewLog is the log of the service itself: JSON lines, from level on. The
// types that hold secrets redact themselves; this is the second line, for what
// was logged by mistake. It leaves out attributes by their name, whatever could
// hold headers or bodies by its type, and from all text what opens something.
func NewLog(out io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level, ReplaceAttr: redact}))
}

// redact is called for each attribute that is not a group, its value resolved.
func redact(groups []string, a slog.Attr) slog.Attr {
	if secretName(a.Key) {
		return slog.String(a.Key, redacted)
	}
	for _, group := range groups {
		if secretName(group) {
			return slog.String(a.Key, redacted)
		}
	}
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(scrub(a.Value.String()))
	case slog.KindAny:
		a.Value = shown(a.Value.Any())
	}
	return a
}

// secretName says that an attribute of this name is not printed.
func secretName(name string) bool {
	return secretNames[strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(name))]
}

// shown is what is printed of a value that is neither text nor number. What is
// not known here could hold anything.
func shown(v any) slog.Value {
	switch v := v.(type) {
	case nil:
		return slog.AnyValue(nil)
	case error:
		return slog.StringValue(scrubError(v))
	case *url.URL:
		return slog.StringValue(scrub((&url.URL{Scheme: v.Scheme, Host: v.Host}).String()))
	case *slog.Source, slog.Level:
		return slog.AnyValue(v)
	case []string:
		return list(v)
	}
	return slog.StringValue(redacted)
}

// list is a list of texts, each without what opens something.
func list(texts []string) slog.Value {
	clean := make([]string, len(texts))
	for i, text := range texts {
		clean[i] = scrub(text)
	}
	return slog.AnyValue(clean)
}
