package envoy

import (
	accesslog "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	fileaccesslog "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/file/v3"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/rolepass/rolepass/envoy/contract"
)

// logged is what an access log line holds. It has no path, query, host,
// referer or user agent: after Check the path of a data fetch is an object
// key, and keys and file names are patient data. Rolepass' audit has the
// location as a keyed hash; "request" and "session" join the two.
var logged = map[string]string{
	"time":          "%START_TIME%",
	"request":       "%FILTER_STATE(" + requestIDState + ":PLAIN)%",
	"session":       metadata(contract.SessionKey),
	"outcome":       metadata(contract.CodeKey),
	"method":        "%REQ(:METHOD)%",
	"protocol":      "%PROTOCOL%",
	"status":        "%RESPONSE_CODE%",
	"s3_status":     "%DYNAMIC_METADATA(" + s3Metadata + ":status)%", // before it was replaced
	"flags":         "%RESPONSE_FLAGS%",
	"details":       "%RESPONSE_CODE_DETAILS%",
	"route":         "%ROUTE_NAME%",
	"cluster":       "%UPSTREAM_CLUSTER%",
	"client":        "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
	"received":      "%BYTES_RECEIVED%",
	"sent":          "%BYTES_SENT%",
	"duration_ms":   "%DURATION%",
	"first_byte_ms": "%RESPONSE_DURATION%",
	"check_us":      "%FILTER_STATE(" + contract.FilterName + ":FIELD:latency_us)%",
	"tls":           "%DOWNSTREAM_TLS_VERSION%",
}

// requestIDState is where the request's id is kept for the log.
const requestIDState = "rolepass.request_id"

func metadata(key string) string {
	return "%DYNAMIC_METADATA(" + contract.FilterName + ":" + key + ")%"
}

func (b *builder) accessLog() *accesslog.AccessLog {
	fields := make(map[string]*structpb.Value, len(logged))
	for name, command := range logged {
		fields[name] = structpb.NewStringValue(command)
	}
	return &accesslog.AccessLog{
		Name: "envoy.access_loggers.file",
		ConfigType: &accesslog.AccessLog_TypedConfig{TypedConfig: b.any(&fileaccesslog.FileAccessLog{
			Path: b.AccessLog,
			AccessLogFormat: &fileaccesslog.FileAccessLog_LogFormat{LogFormat: &core.SubstitutionFormatString{
				Format: &core.SubstitutionFormatString_JsonFormat{JsonFormat: &structpb.Struct{Fields: fields}}}},
		})},
	}
}
