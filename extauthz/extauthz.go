// Package extauthz speaks Envoy's external authorization protocol
// (envoy.service.auth.v3): it reads a CheckRequest into a decision.Request,
// asks for the decision, and writes it as a CheckResponse.
//
//	authv3.RegisterAuthorizationServer(server, &extauthz.Server{Decide: decider.Decide})
//
// It decides nothing. What it cannot read it refuses, and there is one way to
// write each kind of answer; Envoy takes an empty CheckResponse, and one that
// denies with code 0, for a yes, so neither can be written here.
package extauthz

import (
	"context"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/envoy/contract"
	"github.com/rolepass/rolepass/refusal"
)

// Server answers Check.
type Server struct {
	authv3.UnimplementedAuthorizationServer
	// Decide decides one request. Required.
	Decide func(context.Context, decision.Request) decision.Decision
	// Unread decides in shadow about a request that could not be read. Nil
	// means that this server enforces: then an Untouched is a no, too.
	Unread func(r decision.Request, code refusal.Code) decision.Decision
}

// Check answers one request: read, decide, answer.
func (s *Server) Check(ctx context.Context, in *authv3.CheckRequest) (*authv3.CheckResponse, error) {
	request, problem := read(in)
	if problem != "" {
		return s.unread(in, request, problem), nil
	}
	knowsClient(ctx, &request)
	decided := s.Decide(ctx, request)
	if s.Unread != nil && decided.Kind == decision.Untouched && decided.Code != "" {
		return untouched(decided), nil
	}
	return answer(decided), nil
}

// unread answers what could not be read: no, and in shadow what it says there.
func (s *Server) unread(in *authv3.CheckRequest, known decision.Request, problem string) *authv3.CheckResponse {
	if s.Unread != nil {
		known.CookieLines = cookieLines(in)
		if d := s.Unread(known, refusal.Code("unreadable_"+problem)); d.Kind == decision.Untouched && d.Code != "" {
			return untouched(d)
		}
	}
	return unreadable(problem)
}

// Guard is the last resort: whatever happened below, what leaves is an answer
// that denies, or one that was written by this package's own hands. A panic,
// an error and an empty response all deny.
func Guard(ctx context.Context, in any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (out any, err error) {
	check := info.FullMethod == authv3.Authorization_Check_FullMethodName
	defer func() {
		if recover() != nil && check {
			out, err = unreadable("panic"), nil
		}
	}()
	out, err = next(ctx, in)
	if !check {
		return out, err
	}
	response, ok := out.(*authv3.CheckResponse)
	if err != nil || !ok || !sound(response) {
		return unreadable("no_answer"), nil
	}
	return response, nil
}

// sound says that a response is one of the kinds that this package writes. A
// yes has its metadata: an empty response has none. Every header of either has
// a value that ends nowhere but at its end.
func sound(r *authv3.CheckResponse) bool {
	if r == nil || r.GetStatus() == nil || r.GetDynamicMetadata().GetFields()[contract.CodeKey] == nil {
		return false
	}
	if r.GetStatus().GetCode() == 0 {
		ok := r.GetOkResponse()
		return ok != nil && visibleOptions(ok.GetHeaders()) && visibleOptions(ok.GetResponseHeadersToAdd())
	}
	denied := r.GetDeniedResponse()
	return denied.GetStatus().GetCode() >= 200 && visibleOptions(denied.GetHeaders())
}
