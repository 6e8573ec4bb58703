package decision

import (
	"github.com/rolepass/rolepass/labelstudio"
	"github.com/rolepass/rolepass/login"
)

// hardened is set on every answer that S3 gives. An object comes from the
// application's own origin, and whoever wrote it is nobody that the
// application trusts: it is shown, never run, by our pages only, and kept by
// no cache that would give it away without asking again.
var hardened = []login.Header{
	// RFC 9111 §5.2.2.4: reuse only after asking again; the ETag makes that
	// cheap, and every asking is a decision.
	{Name: "cache-control", Value: "private, no-cache"},
	{Name: "vary", Value: "cookie"},
	{Name: "content-security-policy", Value: "sandbox; default-src 'none'"},
	{Name: "x-content-type-options", Value: "nosniff"},
	{Name: "cross-origin-resource-policy", Value: "same-origin"},
	{Name: "referrer-policy", Value: "no-referrer"},
}

// delivered are the headers of the object with this key.
func delivered(key string) []login.Header {
	contentType, attachment := labelstudio.Active(key)
	header := hardened[:len(hardened):len(hardened)]
	if contentType != "" {
		header = append(header, login.Header{Name: "content-type", Value: contentType})
	}
	if attachment {
		header = append(header, login.Header{Name: "content-disposition", Value: "attachment"})
	}
	return header
}
