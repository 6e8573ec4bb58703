package envoy

import (
	"strings"

	xds "github.com/cncf/xds/go/xds/core/v3"
	xdsmatcher "github.com/cncf/xds/go/xds/type/matcher/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	customresponse "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/custom_response/v3"
	headertometadata "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_to_metadata/v3"
	localresponse "github.com/envoyproxy/go-control-plane/envoy/extensions/http/custom_response/local_response_policy/v3"
	matcher "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const (
	customResponseFilter   = "envoy.filters.http.custom_response"
	headerToMetadataFilter = "envoy.filters.http.header_to_metadata"
)

// s3Metadata is the namespace of dynamic metadata that keeps what S3 said for
// the log and for the answer that replaces S3's. No route reads it.
const s3Metadata = "rolepass.s3"

// replacement is what the browser gets instead of an answer of S3.
type replacement struct {
	name     string
	statuses string // of S3's answer: a regular expression for all of it
	not      bool   // every status that statuses does not match
	becomes  uint32 // 0 keeps S3's
	size     bool   // tells how long the object is
}

// replacements are the answers of S3 that the browser never sees, in the order
// of matching. S3's error documents repeat what they object to (S3 API
// reference, "Error responses"): the access key, the string that was signed,
// the session token; and a redirect names another endpoint. What is left is
// the status, and in the end nothing passes but an object, a part of one, or
// that it has not changed. 503 and 504 are also what Envoy itself says when S3
// cannot be reached.
var replacements = []replacement{
	{name: "s3-range", statuses: "416", size: true}, // RFC 9110 §15.5.17
	{name: "s3-refusal", statuses: "4[0-9][0-9]|503|504"},
	{name: "s3-trouble", statuses: "200|206|304", not: true, becomes: 502},
}

// replacing is the setting of the S3 routes.
func (b *builder) replacing() *customresponse.CustomResponse {
	list := &xdsmatcher.Matcher_MatcherList{}
	for _, r := range replacements {
		list.Matchers = append(list.Matchers, &xdsmatcher.Matcher_MatcherList_FieldMatcher{
			Predicate: b.status(r.statuses, r.not),
			OnMatch: &xdsmatcher.Matcher_OnMatch{OnMatch: &xdsmatcher.Matcher_OnMatch_Action{Action: &xds.TypedExtensionConfig{
				Name: r.name, TypedConfig: b.any(r.policy())}}},
		})
	}
	return &customresponse.CustomResponse{CustomResponseMatcher: &xdsmatcher.Matcher{
		MatcherType: &xdsmatcher.Matcher_MatcherList_{MatcherList: list}}}
}

// status matches the status of a response.
func (b *builder) status(expression string, not bool) *xdsmatcher.Matcher_MatcherList_Predicate {
	is := &xdsmatcher.Matcher_MatcherList_Predicate{MatchType: &xdsmatcher.Matcher_MatcherList_Predicate_SinglePredicate_{
		SinglePredicate: &xdsmatcher.Matcher_MatcherList_Predicate_SinglePredicate{
			Input: &xds.TypedExtensionConfig{Name: "status", TypedConfig: b.any(&matcher.HttpResponseStatusCodeMatchInput{})},
			Matcher: &xdsmatcher.Matcher_MatcherList_Predicate_SinglePredicate_ValueMatch{ValueMatch: &xdsmatcher.StringMatcher{
				MatchPattern: &xdsmatcher.StringMatcher_SafeRegex{SafeRegex: &xdsmatcher.RegexMatcher{
					EngineType: &xdsmatcher.RegexMatcher_GoogleRe2{GoogleRe2: &xdsmatcher.RegexMatcher_GoogleRE2{}}, Regex: expression}}}},
		}}}
	if !not {
		return is
	}
	return &xdsmatcher.Matcher_MatcherList_Predicate{MatchType: &xdsmatcher.Matcher_MatcherList_Predicate_NotMatcher{NotMatcher: is}}
}

// policy writes the answer anew. That answer passes none of the filters before
// this one, so it lacks the headers that Check puts on an object and needs few
// of them: its text is ours.
func (r replacement) policy() *localresponse.LocalResponsePolicy {
	p := &localresponse.LocalResponsePolicy{
		Body: &core.DataSource{Specifier: &core.DataSource_InlineString{
			InlineString: "The object store did not give this object.\n"}},
		ResponseHeadersToAdd: []*core.HeaderValueOption{
			overwriting("cache-control", "no-store"),
			overwriting("x-content-type-options", "nosniff"),
			overwriting("cross-origin-resource-policy", "same-origin"),
		},
	}
	if r.becomes != 0 {
		p.StatusCode = wrapperspb.UInt32(r.becomes)
	}
	if r.size {
		p.ResponseHeadersToAdd = append(p.ResponseHeadersToAdd, overwriting("content-range", "%DYNAMIC_METADATA("+s3Metadata+":content-range)%"))
	}
	return p
}

// noted keeps of S3's answer what the one that replaces it must tell, and what
// the log tells an operator.
func (b *builder) noted() *headertometadata.Config {
	config := &headertometadata.Config{}
	for _, header := range []string{":status", "content-range"} {
		key := strings.TrimPrefix(header, ":")
		config.ResponseRules = append(config.ResponseRules, &headertometadata.Config_Rule{
			Header:          header,
			OnHeaderPresent: &headertometadata.Config_KeyValuePair{MetadataNamespace: s3Metadata, Key: key, Type: headertometadata.Config_STRING},
		})
	}
	return config
}

func overwriting(name, value string) *core.HeaderValueOption {
	return &core.HeaderValueOption{
		Header:       &core.HeaderValue{Key: name, Value: value},
		AppendAction: core.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
	}
}
