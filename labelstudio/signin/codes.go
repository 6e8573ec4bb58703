package signin

import "github.com/rolepass/rolepass/refusal"

// Codes of the refusals of SignIn.
const (
	// CodePerson: the assertion lacks what an account needs.
	CodePerson refusal.Code = "app_person_incomplete"
	// CodeNotBound: the address has an account that was not made for this
	// person, or Label Studio does not take the address.
	CodeNotBound refusal.Code = "app_account_not_bound"
	// CodeRemoved: the person's account was removed from the organization.
	CodeRemoved refusal.Code = "app_account_removed"
	// CodeInactive: the account carries the person's mark and does not open.
	CodeInactive refusal.Code = "app_account_inactive"
	// CodePrivileged: an account of an owner or administrator is not adopted.
	CodePrivileged refusal.Code = "app_account_privileged"
	// CodeMismatch: Label Studio takes the bearer for somebody else.
	CodeMismatch refusal.Code = "app_account_mismatch"
	// CodeNoOrganization: the account is in no organization.
	CodeNoOrganization refusal.Code = "app_account_without_organization"
	// CodeBearer: Label Studio does not accept our bearers.
	CodeBearer refusal.Code = "app_bearer_rejected"
	// CodeNoToken: no personal access token is kept for the person.
	CodeNoToken refusal.Code = "app_token_none"
	// CodeForm: Label Studio refuses its own login or sign-up form.
	CodeForm refusal.Code = "app_form_rejected"
	// CodeUnavailable: Label Studio does not answer, or not as 1.23 does.
	CodeUnavailable refusal.Code = "app_unavailable"
)

func unavailable(cause error) *refusal.Refusal {
	return refusal.New(refusal.Unavailable, CodeUnavailable, "Label Studio did not answer the sign-in as expected; look at its log and whether label_studio.url leads to it.").Because(cause)
}
