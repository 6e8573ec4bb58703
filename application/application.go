// Package application reads the URLs of an application other than Label
// Studio, as the configuration describes them: which paths are fetches of
// objects, and of which.
//
//	fetch, err := application.ParseFetch("/files/{key...}", "s3://imaging/{key}")
//	reader, err := application.NewReader(fetch)
//	reading := reader.Read("GET", "/files/scans/a%20b.png") // s3://imaging/scans/a b.png
//
// It reads as strictly as package labelstudio, and answers in its words. A
// request is exactly a fetch, written in the one way in which browsers write
// it; or no server could take it for one, and it belongs to the application; or
// it is refused.
package application

import (
	"fmt"
	"strings"

	"github.com/rolepass/rolepass/labelstudio"
	"github.com/rolepass/rolepass/presign"
	"github.com/rolepass/rolepass/refusal"
)

// Codes of a Refused reading, beside those of package labelstudio.
const (
	// CodeFetchQuery: the address of an object has a query.
	CodeFetchQuery refusal.Code = "fetch_query"
	// CodeFetchKey: what the address has in the place of a key is none.
	CodeFetchKey refusal.Code = "fetch_key"
)

// Reader reads one application's requests.
type Reader struct{ fetches []Fetch }

// NewReader makes a reader of these fetches. The error is for the second of two
// that some path would fit both of.
func NewReader(fetches ...Fetch) (*Reader, error) {
	for i, f := range fetches {
		for _, earlier := range fetches[:i] {
			if f.meets(earlier) {
				return nil, fmt.Errorf("%s and %s fit the same paths: begin them differently", earlier, f)
			}
		}
	}
	return &Reader{fetches}, nil
}

// Read says what a request is. Method and target are as Envoy gives them.
func (r *Reader) Read(method, target string) labelstudio.Reading {
	path, _, err := labelstudio.Target(method, target)
	if err != nil {
		return refused(err)
	}
	for _, f := range r.fetches {
		if values, ok := f.match(path); ok {
			return f.read(method, target, values)
		}
	}
	return r.readApp(path)
}

// readApp says whether some form of a path that is exactly no fetch would be
// one.
func (r *Reader) readApp(path string) labelstudio.Reading {
	forms, err := labelstudio.Forms(path)
	if err != nil {
		return refused(err)
	}
	for _, form := range forms {
		for _, f := range r.fetches {
			if f.resembles(form) {
				return refused(refusal.New(refusal.Malformed, labelstudio.CodeFetchPath, "the path can be read as a fetch of an object, but is not written as one: see fetches under application"))
			}
		}
	}
	return labelstudio.Reading{Kind: labelstudio.App}
}

// read reads the rest of a request whose path fits.
func (f Fetch) read(method, target string, values map[string]string) labelstudio.Reading {
	if method != "GET" && method != "HEAD" {
		return refused(refusal.New(refusal.MethodNotAllowed, labelstudio.CodeFetchMethod, "objects are only read: send GET or HEAD"))
	}
	if strings.Contains(target, "?") {
		return refused(refusal.New(refusal.Malformed, CodeFetchQuery, "the address of an object has a query, which the application might read and Rolepass does not: leave it out"))
	}
	location, err := f.location(values)
	if err != nil {
		return refused(refusal.New(refusal.Malformed, CodeFetchKey, "the path names no object: %v", err))
	}
	return labelstudio.Reading{Kind: labelstudio.Fetch, Location: location}
}

// location puts the values of a path into the object's address.
func (f Fetch) location(values map[string]string) (presign.Location, error) {
	for name, raw := range values {
		value, err := unescape(raw)
		if err != nil {
			return presign.Location{}, err
		}
		values[name] = value
	}
	return presign.ParseLocation(expand(f.object, values))
}

func refused(r *refusal.Refusal) labelstudio.Reading {
	return labelstudio.Reading{Kind: labelstudio.Refused, Refusal: r}
}
