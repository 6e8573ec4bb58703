package client

import "github.com/rolepass/rolepass/refusal"

// Codes of the refusals of a question.
const (
	// CodeNotTheirs: Label Studio does not show the person this task or
	// project, or has none such.
	CodeNotTheirs refusal.Code = "app_not_theirs"
	// CodeIdentity: Label Studio does not accept the person's credential.
	CodeIdentity refusal.Code = "app_identity_rejected"
	// CodeShut: asked who a person is, Label Studio fails, as it does for whom
	// it has removed from every organization.
	CodeShut refusal.Code = "app_account_shut"
	// CodeForgotten: the session ended while the question was on its way.
	CodeForgotten refusal.Code = "app_answer_forgotten"
	// CodeBusy: too many questions wait for their turn.
	CodeBusy refusal.Code = "app_busy"
	// CodeTooLarge: the task is larger than what is read.
	CodeTooLarge refusal.Code = "app_answer_too_large"
	// CodeUnavailable: Label Studio does not answer, or not as 1.23 does.
	CodeUnavailable refusal.Code = "app_unavailable"
)

func unavailable(cause error) *refusal.Refusal {
	return refusal.New(refusal.Unavailable, CodeUnavailable, "Label Studio did not answer a question as expected; look at its log and whether label_studio.url leads to it.").Because(cause)
}
