package envoytest_test

import (
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/rolepass/rolepass/envoy/contract"
)

// pass lets the request go on to the application.
func pass() *auth.CheckResponse { return passing(&auth.OkHttpResponse{}) }

func passing(ok *auth.OkHttpResponse) *auth.CheckResponse {
	return &auth.CheckResponse{
		Status:       &status.Status{Code: 0},
		HttpResponse: &auth.CheckResponse_OkResponse{OkResponse: ok},
	}
}

// stream sends the request to the S3 endpoint with this path.
func stream(host, path string) *auth.CheckResponse {
	response := passing(&auth.OkHttpResponse{
		Headers: []*core.HeaderValueOption{set(":path", path)},
		ResponseHeadersToAdd: []*core.HeaderValueOption{
			set("x-content-type-options", "nosniff"), set("content-security-policy", "sandbox"), set("cache-control", "private, no-cache")},
	})
	response.DynamicMetadata = &structpb.Struct{Fields: map[string]*structpb.Value{
		contract.RouteKey:   structpb.NewStringValue(contract.S3Route(host)),
		contract.SessionKey: structpb.NewStringValue("s-handle"),
		contract.CodeKey:    structpb.NewStringValue("stream"),
	}}
	return response
}

// refuse answers from Check itself.
func refuse(code typev3.StatusCode, body string, headers ...*core.HeaderValueOption) *auth.CheckResponse {
	return &auth.CheckResponse{
		Status: &status.Status{Code: 7},
		HttpResponse: &auth.CheckResponse_DeniedResponse{DeniedResponse: &auth.DeniedHttpResponse{
			Status: &typev3.HttpStatus{Code: code}, Headers: headers, Body: body}},
	}
}

func set(key, value string) *core.HeaderValueOption {
	return &core.HeaderValueOption{
		Header:       &core.HeaderValue{Key: key, Value: value},
		AppendAction: core.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
	}
}

func add(key, value string) *core.HeaderValueOption {
	return &core.HeaderValueOption{
		Header:       &core.HeaderValue{Key: key, Value: value},
		AppendAction: core.HeaderValueOption_APPEND_IF_EXISTS_OR_ADD,
	}
}
