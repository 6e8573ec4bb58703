package extauthz

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/envoy/contract"
	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/presign"
)

// answer writes a decision. Whatever is not exactly a yes is a no.
func answer(d decision.Decision) *authv3.CheckResponse {
	if y := (yes{}); y.allows(d) {
		return y.message()
	}
	if d.Kind == decision.Redirect && d.Signed.Target() != "" && d.Bucket.Host != "" {
		return redirect(d)
	}
	if d.Answer.Status >= 200 && d.Answer.Status < 600 {
		return shown(d)
	}
	return unreadable("no_decision")
}

// yes is what a decision that lets a request go on says to Envoy, apart from
// how it is written.
type yes struct {
	code, session string
	// route is S3's; empty: as Envoy chose.
	route string
	// set and remove are about the request, add is about the answer to it.
	set    []login.Header
	remove []string
	add    []login.Header

	space [2]login.Header // for set, which has no more as a rule
}

// allows makes it the yes of a decision, if that is exactly one. Else it is none
// that may be written.
func (y *yes) allows(d decision.Decision) bool {
	y.code, y.session = string(d.Code), d.Session
	switch {
	case d.Kind == decision.Pass && d.Authorization != "":
		y.pass(d)
	case d.Kind == decision.Open && d.Code != "":
		y.remove = openly
	case d.Kind == decision.PassOwn && d.Authorization == "" && d.Code != "":
		y.passOwn(d)
	case d.Kind == decision.PassClient && d.Authorization == "" && d.Cookie == "" && d.Code != "":
		y.remove = fromClient
	case d.Kind == decision.PassSigned && d.Authorization == "" && d.Signed.Target() != "" && d.LocationHeader != "":
		y.passSigned(d)
	case d.Kind == decision.Stream && (d.Signed.Target() != "") != (d.Authorized.Target() != "") && d.Bucket.Host != "":
		y.stream(d)
	default:
		return false
	}
	if d.Target != "" && d.Kind != decision.Stream {
		y.set = append(y.set, login.Header{Name: ":path", Value: d.Target})
	}
	return true
}

// openly goes on to the application with nothing that says who asks.
var openly = []string{contract.Authorization, contract.APIKey, contract.Cookie}

// fromClient goes on to the application with the client's own token and no
// cookie, by which it might know somebody else.
var fromClient = []string{contract.Cookie}

// besidesOurs is the client's own credential that goes where ours takes the place
// of the other.
var besidesOurs = []string{contract.APIKey}

// untouched goes on to the application as it came, but for what is our own.
// Only a server in shadow writes it.
func untouched(d decision.Decision) *authv3.CheckResponse {
	y := yes{code: string(d.Code), session: d.Session, add: d.Header}
	if d.CookieChanged {
		y.cookie(d)
	}
	if d.LocationHeader != "" {
		y.remove = append(y.remove, d.LocationHeader)
	}
	return y.message()
}

// pass goes on to the application with the person's own credential and
// nothing else that says who asks.
func (y *yes) pass(d decision.Decision) {
	y.set = append(y.space[:0], login.Header{Name: contract.Authorization, Value: d.Authorization.Reveal()})
	y.remove = besidesOurs[:1:1]
	y.cookie(d)
}

// passOwn goes on to the application with its own session of this browser.
// What it answers may carry our cookie beside its own.
func (y *yes) passOwn(d decision.Decision) {
	y.add = d.Header
	y.remove = []string{contract.APIKey, contract.Authorization}
	if d.LocationHeader != "" {
		y.remove = append(y.remove, d.LocationHeader)
	}
	y.cookie(d)
}

// passSigned is passOwn, and tells the application where the object is: in a
// header that nobody else may set.
func (y *yes) passSigned(d decision.Decision) {
	y.set = []login.Header{{Name: d.LocationHeader, Value: d.Signed.URL()}}
	y.remove = []string{contract.APIKey, contract.Authorization}
	y.cookie(d)
}

// cookie leaves the application the cookies that the decision left it.
func (y *yes) cookie(d decision.Decision) {
	if left := visibleCookies(d.Cookie); left == "" {
		y.remove = append(y.remove, contract.Cookie)
	} else {
		y.set = append(y.set, login.Header{Name: contract.Cookie, Value: left})
	}
}

// stream goes to S3. The new path makes Envoy choose the route again, and the
// metadata makes it choose S3's; without the first the second does nothing.
func (y *yes) stream(d decision.Decision) {
	y.set = append(y.space[:0], login.Header{Name: ":path", Value: d.Signed.Target()})
	y.remove, y.add, y.route = toRemoveForS3, d.Header, contract.S3Route(d.Bucket.Host)
	if d.Authorized.Target() != "" {
		y.signed(d.Authorized)
	}
}

// signed replaces a signature in the path by one in the headers.
func (y *yes) signed(a presign.Authorized) {
	y.set[0].Value = a.Target()
	for _, header := range a.Headers() {
		y.set = append(y.set, login.Header(header))
	}
	y.remove = toRemoveForS3[1:]
}

// toRemoveForS3 are the browser's words that S3 is not told. The S3 route
// removes them and more; this holds where a route forgets. Authorization is the
// first, as a signature in the headers stands there instead.
var toRemoveForS3 = []string{contract.Authorization, contract.Cookie, contract.APIKey, contract.Origin, "referer", "x-csrftoken"}

func (y *yes) message() *authv3.CheckResponse {
	return &authv3.CheckResponse{
		Status: &statuspb.Status{Code: int32(codes.OK)},
		HttpResponse: &authv3.CheckResponse_OkResponse{OkResponse: &authv3.OkHttpResponse{
			Headers: written(y.set), HeadersToRemove: y.remove, ResponseHeadersToAdd: written(y.add),
		}},
		DynamicMetadata: metadata(y.code, y.session, y.route),
	}
}

// redirect sends the browser to S3. To Envoy that is a no, like every answer
// that is not the upstream's.
func redirect(d decision.Decision) *authv3.CheckResponse {
	page := login.Page{Status: 303, Header: append(d.Header[:len(d.Header):len(d.Header)], login.Header{Name: "location", Value: d.Signed.URL()})}
	return denied(page, metadata(string(d.Code), d.Session, ""))
}

// shown answers with a page of ours.
func shown(d decision.Decision) *authv3.CheckResponse {
	code := string(d.Code)
	if code == "" {
		code = "refuse"
	}
	return denied(d.Answer, metadata(code, d.Session, ""))
}

// denied is the one way to write a no: Envoy takes one with code 0 for a yes,
// so the code is never that.
func denied(page login.Page, about *structpb.Struct) *authv3.CheckResponse {
	out := &authv3.DeniedHttpResponse{
		Status:  &typev3.HttpStatus{Code: typev3.StatusCode(page.Status)},
		Headers: written(page.Header),
		Body:    string(page.Body),
	}
	return &authv3.CheckResponse{
		Status:          &statuspb.Status{Code: int32(codes.PermissionDenied)},
		HttpResponse:    &authv3.CheckResponse_DeniedResponse{DeniedResponse: out},
		DynamicMetadata: about,
	}
}

// unreadable is the no for what could not be read, or not be decided: short,
// the same for all, and not dependent on anything that may be broken.
func unreadable(problem string) *authv3.CheckResponse {
	page := login.Page{Status: 400, Body: []byte("This request cannot be read.\n"), Header: []login.Header{
		{Name: "content-type", Value: "text/plain; charset=utf-8"}, {Name: "cache-control", Value: "no-store"}, {Name: "x-content-type-options", Value: "nosniff"},
	}}
	return denied(page, metadata("unreadable_"+problem, "", ""))
}

// metadata is what Envoy files under the filter's name: the route, and what
// its access log may print.
func metadata(code, session, route string) *structpb.Struct {
	fields := make(map[string]*structpb.Value, 3)
	fields[contract.CodeKey] = structpb.NewStringValue(code)
	if session != "" {
		fields[contract.SessionKey] = structpb.NewStringValue(session)
	}
	if route != "" {
		fields[contract.RouteKey] = structpb.NewStringValue(route)
	}
	return &structpb.Struct{Fields: fields}
}

// written sets headers, whatever was there, but cookies, of which there may be
// several. The messages of one answer live and die together, so they are made
// together.
func written(headers []login.Header) []*corev3.HeaderValueOption {
	all := make([]*corev3.HeaderValueOption, len(headers))
	options, values := make([]corev3.HeaderValueOption, len(headers)), make([]corev3.HeaderValue, len(headers))
	for i, header := range headers {
		all[i], options[i].Header = &options[i], &values[i]
		values[i].Key, values[i].Value = header.Name, header.Value
		options[i].AppendAction = corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD
		if header.Name == "set-cookie" {
			options[i].AppendAction = corev3.HeaderValueOption_APPEND_IF_EXISTS_OR_ADD
		}
	}
	return all
}
