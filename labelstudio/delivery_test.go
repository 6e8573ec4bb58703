package labelstudio_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/labelstudio"
	"github.com/rolepass/rolepass/refusal"
)

func TestDestinations(t *testing.T) {
	for _, dest := range []string{"", "empty", "image", "audio", "video", "track", "document", "iframe"} {
		if err := labelstudio.Destination(dest, "a/lung.png"); err != nil {
			t.Errorf("%q is refused: %v", dest, err)
		}
	}
	for _, dest := range []string{
		"script", "worker", "sharedworker", "serviceworker", "style", "object", "audioworklet", "paintworklet", "xslt", "json",
		"manifest", "font", "frame", "fencedframe", "report", "webidentity", "speculationrules", "Image", "image ", "image,script", "later-invention",
	} {
		var r *refusal.Refusal
		if err := labelstudio.Destination(dest, "a/paper.pdf"); !errors.As(err, &r) || r.Code != labelstudio.CodeDestination {
			t.Errorf("%q gives %v, want a refusal", dest, err)
		}
	}
}

// The editor's Pdf tag embeds, and nothing else may be embedded.
func TestOnlyPDFIsEmbedded(t *testing.T) {
	for _, key := range []string{"a/paper.pdf", "PAPER.PDF", "a.html/b.pdf"} {
		if err := labelstudio.Destination("embed", key); err != nil {
			t.Errorf("%s is not embedded: %v", key, err)
		}
		if contentType, _ := labelstudio.Active(key); contentType != "application/pdf" {
			t.Errorf("%s is embedded as %s", key, contentType)
		}
	}
	for _, key := range []string{"", "pdf", "a.pdf/x", "a/paper.pdf.html", "a/paper.svg", "a/paper.swf", "paper.pdf ", "paper.pdf?", "paper.pdf."} {
		if err := labelstudio.Destination("embed", key); err == nil {
			t.Errorf("%q is embedded", key)
		}
	}
}

func TestWhatAnObjectIsServedAs(t *testing.T) {
	for _, c := range []struct {
		key, contentType string
		attachment       bool
	}{
		{"a/red.png", "image/png", false}, {"RED.PNG", "image/png", false}, {"a.b/x.tar.gz", "application/gzip", true},
		{"scan.dcm", "application/dicom", false}, {"a.mp4", "video/mp4", false}, {"a.wav", "audio/wav", false},
		{"t.csv", "text/csv; charset=utf-8", false}, {"t.json", "application/json", false}, {"t.pdf", "application/pdf", false},
		{"app.js", "text/plain; charset=utf-8", true}, {"page.html", "text/plain; charset=utf-8", true}, {"page.HtM", "text/plain; charset=utf-8", true},
		{"pic.svg", "image/svg+xml", true}, {"a.xml", "text/plain; charset=utf-8", true}, {"a.wasm", "application/octet-stream", true},
		{"noending", "", true}, {"dir.png/noending", "", true}, {"a.", "", true}, {"a.unknown", "", true}, {"png", "", true}, {"", "", true}, {"a/.png", "image/png", false},
	} {
		if contentType, attachment := labelstudio.Active(c.key); contentType != c.contentType || attachment != c.attachment {
			t.Errorf("%q is served as %q, attachment %v; want %q, %v", c.key, contentType, attachment, c.contentType, c.attachment)
		}
	}
}

// Nothing that a browser runs when it is led straight to it is shown in place.
func TestWhatCanRunIsSaved(t *testing.T) {
	for _, ending := range []string{"html", "htm", "xhtml", "svg", "svgz", "xml", "xsl", "xslt", "js", "mjs", "css", "swf", "mhtml", "wasm"} {
		contentType, attachment := labelstudio.Active("x." + ending)
		if !attachment {
			t.Errorf(".%s is shown in place", ending)
		}
		if strings.Contains(contentType, "html") || strings.Contains(contentType, "javascript") || contentType == "text/xml" || contentType == "application/xml" || contentType == "text/css" {
			t.Errorf(".%s is served as %s, which a browser runs", ending, contentType)
		}
	}
}
