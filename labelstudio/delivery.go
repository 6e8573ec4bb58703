package labelstudio

import (
	"path"
	"strings"

	"github.com/rolepass/rolepass/refusal"
)

// Destination says whether a browser may use an object for what its
// Sec-Fetch-Dest header tells (Fetch standard, request destinations). Objects
// come from the application's own origin, so one that ran there (as a script, a
// worker, a style sheet, a plug-in's content) would be the application. What
// shows pictures and sound and what reads data is allowed, so is a page or a
// frame of its own, which the sandbox of the answer keeps apart; everything
// else is refused, also what a later browser invents. The one exception is the
// Pdf tag of Label Studio's editor, which embeds: the key of what it embeds
// must end in .pdf, so that Active serves it as nothing but PDF. An empty dest
// is a client without the header.
//
// This is the second line, not the first: Label Studio's service worker fetches
// again what its pages ask for, and every destination becomes "empty" on the
// way. What Active says the object is must hold alone.
func Destination(dest, key string) error {
	switch dest {
	case "", "empty", "image", "audio", "video", "track", "document", "iframe":
		return nil
	case "embed":
		if ending(key) == "pdf" {
			return nil
		}
	}
	return refusal.New(refusal.Forbidden, CodeDestination, "The browser wants to run or embed the object instead of showing it; Label Studio's own pages never do.")
}

// served is how one kind of file is served.
type served struct {
	contentType string
	attachment  bool
}

// asText serves what a browser could run as something that it only reads.
var asText = served{"text/plain; charset=utf-8", true}

// types is our own table and not the system's, which differs from machine to
// machine and calls a TypeScript file a video.
var types = map[string]served{
	// Pictures, sound and film: decoded, never run.
	"png": {"image/png", false}, "jpg": {"image/jpeg", false}, "jpeg": {"image/jpeg", false},
	"gif": {"image/gif", false}, "webp": {"image/webp", false}, "bmp": {"image/bmp", false},
	"tif": {"image/tiff", false}, "tiff": {"image/tiff", false}, "avif": {"image/avif", false},
	"ico": {"image/x-icon", false}, "dcm": {"application/dicom", false},
	"mp4": {"video/mp4", false}, "m4v": {"video/mp4", false}, "mov": {"video/quicktime", false},
	"webm": {"video/webm", false}, "ogv": {"video/ogg", false}, "mkv": {"video/x-matroska", false},
	"mp3": {"audio/mpeg", false}, "wav": {"audio/wav", false}, "flac": {"audio/flac", false},
	"m4a": {"audio/mp4", false}, "aac": {"audio/aac", false}, "ogg": {"audio/ogg", false}, "opus": {"audio/ogg", false},
	"vtt": {"text/vtt; charset=utf-8", false},
	// Data and text: the editor reads it, a browser shows or saves it.
	"csv": {"text/csv; charset=utf-8", false}, "tsv": {"text/tab-separated-values; charset=utf-8", false},
	"txt": {"text/plain; charset=utf-8", false}, "log": {"text/plain; charset=utf-8", false}, "md": {"text/plain; charset=utf-8", false},
	"json": {"application/json", false}, "jsonl": {"text/plain; charset=utf-8", false}, "ndjson": {"text/plain; charset=utf-8", false},
	"parquet": {"application/octet-stream", true}, "gz": {"application/gzip", true}, "zip": {"application/zip", true},
	// A viewer of the browser's own runs it, in a process of its own.
	"pdf": {"application/pdf", false},
	// Scripts, styles and documents that can hold scripts. The editor fetches
	// them as text, which no type hinders.
	"js": asText, "mjs": asText, "cjs": asText, "wasm": {"application/octet-stream", true}, "css": asText,
	"html": asText, "htm": asText, "xhtml": asText, "xht": asText, "shtml": asText, "mht": asText, "mhtml": asText, "hta": asText,
	"xml": asText, "xsl": asText, "xslt": asText, "rdf": asText, "mathml": asText, "svgz": {"application/octet-stream", true},
	"swf": {"application/octet-stream", true}, "jar": {"application/octet-stream", true},
	// Only as this type does a picture element show it, and there no script in
	// it runs; on its own it is saved, not shown.
	"svg": {"image/svg+xml", true},
}

// Active says how to serve the object with this key: its content type, and
// whether as an attachment, so that a browser which is led straight to it saves
// it instead of showing it. Elements and scripts that load the object ignore
// that. An unknown ending gives no content type, and an attachment: S3's own type
// may be anything that whoever uploaded the object chose, so let it pass only
// where no type runs.
func Active(key string) (contentType string, attachment bool) {
	if s, ok := types[ending(key)]; ok {
		return s.contentType, s.attachment
	}
	return "", true
}

// ending is what stands behind the last dot of a key's last part, in lower
// case; nothing if there is none.
func ending(key string) string {
	name := key[strings.LastIndexByte(key, '/')+1:]
	return strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
}
