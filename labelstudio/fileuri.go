package labelstudio

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
)

// maxParameters bounds the query of a fetch. Label Studio's editor sends two.
const maxParameters = 8

// fileURI finds the raw value of the one fileuri parameter. Django takes the
// last of several and Go the first, so there may be one only; other parameters
// (the audio player adds lsref=1) must be plain, so that none of them can
// decode to a second.
func fileURI(query string) (string, *refusal.Refusal) {
	value, found := "", false
	if strings.Count(query, "&") >= maxParameters {
		return "", malformed(CodeFetchQuery, "The query has more parameters than Label Studio's editor ever sends.")
	}
	for parameter := range strings.SplitSeq(query, "&") {
		if query == "" {
			break
		}
		name, v, _ := strings.Cut(parameter, "=")
		switch {
		case name == "fileuri" && !found:
			value, found = v, true
		case strings.EqualFold(name, "fileuri"):
			return "", malformed(CodeFileURIRepeated, "The query has more than one fileuri; which of them is meant cannot be known.")
		case name == "" || !unreserved(name) || !unreserved(v):
			return "", malformed(CodeFetchQuery, "The query has a parameter beside fileuri that is not plain letters and digits.")
		}
	}
	if value == "" {
		return "", malformed(CodeFileURIMissing, "The query has no fileuri; use the address that Label Studio gives.")
	}
	return value, nil
}

// padding undoes the percent-encoding of base64's padding, and nothing else.
var padding = strings.NewReplacer("%3D", "=", "%3d", "=")

// decodeFileURI reads the value of fileuri: the padded URL-safe base64 of an
// s3:// URI, in the one spelling that encodes back to itself. Its padding may
// be percent-encoded, as browsers do when they add a parameter.
func decodeFileURI(value string) (presign.Location, *refusal.Refusal) {
	if strings.Contains(value, "%") {
		value = padding.Replace(value)
	}
	var space, again [1024]byte // longer ones go to the heap
	raw, err := base64.URLEncoding.AppendDecode(space[:0], []byte(value))
	if err != nil || string(base64.URLEncoding.AppendEncode(again[:0], raw)) != value {
		if quoted := strings.ToLower(decodeOnce(value)); strings.Contains(quoted, "://") {
			return presign.Location{}, malformed(CodeFileURILegacy, "The fileuri is percent-encoded, a form that Label Studio no longer writes; open the task again to get a new address.")
		}
		return presign.Location{}, malformed(CodeFileURIEncoding, "The fileuri is not exactly the base64 that Label Studio writes.")
	}
	return readURI(string(raw))
}

// readURI reads what was in the base64.
func readURI(uri string) (presign.Location, *refusal.Refusal) {
	if !utf8.ValidString(uri) {
		return presign.Location{}, malformed(CodeFileURIEncoding, "The fileuri does not decode to text.")
	}
	for _, scheme := range []string{"gs://", "azure-blob://"} {
		if len(uri) >= len(scheme) && strings.EqualFold(uri[:len(scheme)], scheme) {
			return presign.Location{}, malformed(CodeFileURICloud, "The object is in another cloud than S3, for which nobody's role can sign.")
		}
	}
	location, err := presign.ParseLocation(uri)
	if err != nil {
		return presign.Location{}, malformed(CodeFileURILocation, "The fileuri does not name an object as s3://bucket/key.").Because(err)
	}
	return location, nil
}

// unreserved says that a string is made of what RFC 3986 §2.3 calls unreserved
// characters only, so that decoding it changes nothing.
func unreserved(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~':
		default:
			return false
		}
	}
	return true
}
