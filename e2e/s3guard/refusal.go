package s3guard

import (
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"
)

// refusal is an error as S3 writes it (Amazon S3 API Reference, "Error
// responses").
type refusal struct {
	status  int
	code    string
	message string
	more    map[string]string // at most one further element
}

var (
	malformedURI             = &refusal{http.StatusBadRequest, "InvalidURI", "Couldn't parse the specified URI.", nil}
	keyTooLong               = &refusal{http.StatusBadRequest, "KeyTooLongError", "Your key is too long", nil}
	methodNotAllowed         = &refusal{http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.", nil}
	twoMechanisms            = &refusal{http.StatusBadRequest, "InvalidArgument", "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified", nil}
	unsupportedAuthorization = &refusal{http.StatusBadRequest, "InvalidRequest", "The authorization mechanism you have provided is not supported. Please use " + scheme + ".", nil}
)

func accessDenied(message string) *refusal {
	return &refusal{http.StatusForbidden, "AccessDenied", message, nil}
}

func badParameters(message string) *refusal {
	return &refusal{http.StatusBadRequest, "AuthorizationQueryParametersError", message, nil}
}

// text is the body of the answer.
func (e *refusal) text() string {
	var b strings.Builder
	b.WriteString(xml.Header + "<Error>")
	element := func(name, value string) {
		b.WriteString("<" + name + ">")
		_ = xml.EscapeText(&b, []byte(value))
		b.WriteString("</" + name + ">")
	}
	element("Code", e.code)
	element("Message", e.message)
	for name, value := range e.more {
		element(name, value)
	}
	b.WriteString("</Error>")
	return b.String()
}

// length is how many bytes of body an answer to this method has.
func (e *refusal) length(method string) int64 {
	if method == http.MethodHead {
		return 0
	}
	return int64(len(e.text()))
}

// answer writes the refusal. An answer to HEAD has no body.
func (e *refusal) answer(w http.ResponseWriter, method string) {
	text := e.text()
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	// What is left of the body is not read.
	w.Header().Set("Connection", "close")
	w.WriteHeader(e.status)
	if method != http.MethodHead {
		_, _ = w.Write([]byte(text))
	}
}
