package telemetry

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/refusal"
)

// subject is what a decision was about, of few values: a page of our own, an
// object, something that is for administrators, or else a request.
func subject(e *decision.Event) string {
	switch {
	case e.Page != "":
		return e.Page
	case e.Location.Bucket != "":
		return "fetch"
	case e.Door != "":
		return "side door"
	case len(e.Steps) > 0 && e.Steps[0].Kind != decision.StepQuestion:
		return "login" // one that failed has no page
	}
	return "request"
}

// attributes are what the audit says, but for the person, whom the session's
// handle stands for, and for all text that somebody else may have written.
func (t *Traces) attributes(e *decision.Event) []attribute.KeyValue {
	list := append(make([]attribute.KeyValue, 0, 16), attribute.String("rolepass.kind", e.Kind.String()), attribute.String("rolepass.code", code(e)))
	texts := []struct{ name, value string }{
		{"http.request.method", printable(e.Method)}, {"rolepass.request_id", printable(e.RequestID)},
		{"rolepass.role", e.Role}, {"rolepass.door", string(e.Door)}, {"rolepass.bucket", e.Location.Bucket},
	}
	if e.Session != nil {
		texts = append(texts, struct{ name, value string }{"rolepass.session", e.Session.Handle()}, struct{ name, value string }{"rolepass.idp", e.Session.Principal.IdP})
	}
	for _, text := range texts {
		if text.value != "" {
			list = append(list, attribute.String(text.name, text.value))
		}
	}
	if e.Location.Bucket != "" {
		list = append(list, attribute.String("rolepass.object", t.objects.hash(e.Location.URI())))
	}
	for _, number := range []struct {
		name  string
		value int64
	}{{"rolepass.grant", int64(e.Grant)}, {"rolepass.task", e.Task}, {"rolepass.project", e.Project}} {
		if number.value != 0 {
			list = append(list, attribute.Int64(number.name, number.value))
		}
	}
	if e.Shadow {
		list = append(list, attribute.Bool("rolepass.shadow", true))
	}
	return list
}

func stepName(s decision.Step) string {
	switch s.Kind {
	case decision.StepQuestion:
		return "ask the application"
	case login.StepSTS:
		return "AssumeRoleWithSAML"
	}
	return "sign in to the application"
}

func stepAttributes(s decision.Step) (list []attribute.KeyValue) {
	switch {
	case s.Kind == decision.StepQuestion:
		list = append(list, attribute.String("rolepass.question", s.What))
	case s.What != "":
		list = append(list, attribute.String("rolepass.role", s.What))
	}
	if s.Code != "" {
		list = append(list, attribute.String("rolepass.code", s.Code))
	}
	return list
}

// unavailableCode is the code of a refusal that is a fault; empty for others: a
// no that is right is no error.
func unavailableCode(e *decision.Event) string {
	if e.Refusal == nil || e.Refusal.Class != refusal.Unavailable {
		return ""
	}
	return string(e.Refusal.Code)
}

func failed(span trace.Span, code string) {
	if code != "" {
		span.SetStatus(codes.Error, code)
	}
}
