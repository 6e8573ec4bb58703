package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/util"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
)

//go:embed policy.rego
var module string

// policy answers Check with what OPA decides.
type policy struct {
	authv3.UnimplementedAuthorizationServer
	query rego.PreparedEvalQuery
}

// newPolicy takes cookies as name=value; each is a session of its own person.
func newPolicy(ctx context.Context, cookies []string) (*policy, error) {
	sessions := map[string]any{}
	for i, cookie := range cookies {
		_, value, _ := strings.Cut(cookie, "=")
		sessions[value] = fmt.Sprintf("person-%d", i)
	}
	query, err := rego.New(rego.Query("data.envoy.authz.allow"), rego.Module("policy.rego", module),
		rego.Store(inmem.NewFromObject(map[string]any{"sessions": sessions}))).PrepareForEval(ctx)
	return &policy{query: query}, err
}

func (p *policy) Check(ctx context.Context, in *authv3.CheckRequest) (*authv3.CheckResponse, error) {
	asked, err := input(in)
	if err != nil {
		return nil, err
	}
	found, err := p.query.Eval(ctx, rego.EvalParsedInput(asked))
	if err != nil || len(found) != 1 {
		return nil, fmt.Errorf("evaluating the policy: %d results, %w", len(found), err)
	}
	said, ok := found[0].Expressions[0].Value.(map[string]any)
	if !ok || said["allowed"] != true {
		return refused(), nil
	}
	return allowed(said["headers"]), nil
}

// input is the document that opa-envoy-plugin hands to policies: the CheckRequest
// as JSON, with its path and its query taken apart.
func input(in *authv3.CheckRequest) (ast.Value, error) {
	text, err := protojson.Marshal(in)
	if err != nil {
		return nil, err
	}
	var document map[string]any
	if err := util.UnmarshalJSON(text, &document); err != nil {
		return nil, err
	}
	target, err := url.Parse(in.GetAttributes().GetRequest().GetHttp().GetPath())
	if err != nil {
		return nil, err
	}
	var path []any
	for segment := range strings.SplitSeq(strings.TrimLeft(target.Path, "/"), "/") {
		path = append(path, segment)
	}
	query := map[string]any{}
	for name, values := range target.Query() {
		query[name] = values
	}
	document["parsed_path"], document["parsed_query"], document["truncated_body"] = path, query, false
	document["version"] = map[string]any{"encoding": "protojson", "ext_authz": "v3"}
	return ast.InterfaceToValue(document)
}

func allowed(headers any) *authv3.CheckResponse {
	ok := &authv3.OkHttpResponse{}
	named, _ := headers.(map[string]any)
	for name, value := range named {
		text, isText := value.(string)
		if !isText {
			encoded, err := json.Marshal(value)
			if err != nil {
				return refused()
			}
			text = string(encoded)
		}
		ok.Headers = append(ok.Headers, &corev3.HeaderValueOption{Header: &corev3.HeaderValue{Key: name, Value: text}})
	}
	return &authv3.CheckResponse{Status: &statuspb.Status{Code: int32(codes.OK)}, HttpResponse: &authv3.CheckResponse_OkResponse{OkResponse: ok}}
}

func refused() *authv3.CheckResponse {
	return &authv3.CheckResponse{Status: &statuspb.Status{Code: int32(codes.PermissionDenied)},
		HttpResponse: &authv3.CheckResponse_DeniedResponse{DeniedResponse: &authv3.DeniedHttpResponse{Status: &typev3.HttpStatus{Code: typev3.StatusCode_Forbidden}}}}
}
