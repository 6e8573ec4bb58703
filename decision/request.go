package decision

import (
	"slices"
	"strings"

	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/presign"
)

// Request is what a decision needs to know of a request: as it was sent, with
// nothing decoded.
type Request struct {
	// ID is the proxy's own request id.
	ID     string
	Method string
	// Target is the path with its query.
	Target string
	Host   string
	// Source is the address that it came from, by Envoy's word; empty: it is
	// not known. Nothing is decided by it.
	Source string

	CookieLines []string
	Accept      string
	Origin      string
	ContentType string
	// FetchSite, FetchMode and FetchDest are what a browser says about why it
	// asks (Fetch Metadata Request Headers, W3C). Clients other than browsers
	// leave them out.
	FetchSite string
	FetchMode string
	FetchDest string
	// Range is the part of an object that is asked for (RFC 9110 §14.2).
	Range string

	// AppToken says that the request carries a token of the application's own:
	// Authorization with Token or Bearer, or X-Api-Key. What it is, is read by
	// nobody here. It is false where API clients are refused.
	AppToken bool
	// Token is the value of Authorization that carries it, if it is there.
	Token presign.Secret

	// Body is there for the ACS only.
	Body []byte

	// Traceparent is the proxy's own span (W3C Trace Context §3.2), where it is
	// to be respected; never a header of the browser's.
	Traceparent string

	// mount was taken off Target.
	mount string
}

// path is the target without its query.
func (r *Request) path() string {
	path, _, _ := strings.Cut(r.Target, "?")
	return path
}

// safe says that the method changes nothing (RFC 9110 §9.2.1).
func (r *Request) safe() bool {
	return r.Method == "GET" || r.Method == "HEAD" || r.Method == "OPTIONS"
}

// navigation says that a person wants to see a page, so that a redirect to
// the IdP leads somewhere. Without word from the browser, a GET that asks for
// HTML is one, or one of the front page.
func (r *Request) navigation() bool {
	if r.FetchMode != "" || r.FetchDest != "" {
		return r.FetchMode == "navigate" && (r.FetchDest == "document" || r.FetchDest == "")
	}
	return r.Method == "GET" && (r.path() == "/" || strings.Contains(r.Accept, "text/html"))
}

// html says that a person looks at the answer.
func (r *Request) html() bool {
	if r.FetchMode != "" {
		return r.FetchMode == "navigate"
	}
	return strings.Contains(r.Accept, "text/html")
}

// sameOrigin says that the request comes from the application's own pages, or
// from nobody's: an address that was typed. It is false when the request does
// not say, as no browser's is for what changes something, and when it says both:
// no browser contradicts itself.
func (r *Request) sameOrigin(origin string) bool {
	if r.Origin != "" && r.Origin != origin {
		return false
	}
	if r.FetchSite != "" {
		return r.FetchSite == "same-origin" || r.FetchSite == "none"
	}
	return r.Origin != ""
}

// foreign says that the browser tells of another origin.
func (r *Request) foreign(origin string) bool {
	return (r.Origin != "" || r.FetchSite != "") && !r.sameOrigin(origin)
}

// forLogin is the request as the own pages know it.
func (r *Request) forLogin(origin string) login.Request {
	path, query, _ := strings.Cut(r.sent(), "?")
	return login.Request{
		ID: r.ID, Method: r.Method, Path: path, Query: query, Target: r.sent(),
		CookieLines: r.CookieLines, ContentType: r.ContentType,
		CrossSite: r.foreign(origin), SameOrigin: r.sameOrigin(origin), Body: r.Body, HTML: r.html(),
	}
}

// isOurs says whether a Host is one of ours. Letter case means nothing there;
// a port does.
func (d *Decider) isOurs(host string) bool {
	return slices.Contains(d.Hosts, strings.ToLower(host))
}
