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

// delivered are the headers of the object with this key, for a browser that
// wants it for dest.
//
// Of an object with an ending that nobody knows S3's own content type stays
// where a picture, sound, film or page is meant: whoever uploaded it has chosen
// the type, and there it cannot run. Anything else gets bytes. "empty" is not
// only a script of a page that reads: a service worker that passes the page's
// requests on, as Label Studio's does, turns every destination into it, and then
// the object could come back to a <script>. No destination at all is a browser
// from before 2023, or a page without TLS.
func delivered(key, dest string) []login.Header {
	contentType, attachment := labelstudio.Active(key)
	if contentType == "" && (dest == "" || dest == "empty") {
		contentType = "application/octet-stream"
	}
	header := append(make([]login.Header, 0, len(hardened)+2), hardened...)
	if contentType != "" {
		header = append(header, login.Header{Name: "content-type", Value: contentType})
	}
	if attachment {
		header = append(header, login.Header{Name: "content-disposition", Value: "attachment"})
	}
	return header
}
