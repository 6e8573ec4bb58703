package saml

import (
	"slices"

	"github.com/rolepass/rolepass/refusal"
)

// roles gives the pairs of the assertion that this IdP may grant, in its
// order and each once, and those that are ignored. One usable pair is enough;
// without any, the sentence says what is wrong with the first.
func (h *hearing) roles() ([]Role, []IgnoredRole, *refusal.Refusal) {
	values, present := h.said.values(roleAttribute)
	if !present || len(values) == 0 {
		return nil, nil, forbidden("saml_no_role", "The assertion has no attribute %q%s; map it at the IdP to values \"roleARN,providerARN\", and assign the person to at least one.", roleAttribute, h.near(roleAttribute))
	}
	var granted []Role
	var ignored []IgnoredRole
	for _, value := range values {
		role, why := h.role(value)
		switch {
		case why != nil:
			ignored = append(ignored, IgnoredRole{Value: value, Refusal: why})
		case !slices.Contains(granted, role):
			granted = append(granted, role)
		}
	}
	if len(granted) == 0 {
		return nil, nil, ignored[0].Refusal
	}
	return granted, ignored, nil
}

func (h *hearing) role(value string) (Role, *refusal.Refusal) {
	role, err := ParseRole(value)
	if err != nil {
		return Role{}, forbidden("saml_role", "The value %q of the attribute Role is not usable: %v.", shown(value), err)
	}
	if !h.sp.IdP.AnyProvider && !slices.Contains(h.sp.IdP.Providers, role.Provider) {
		return Role{}, forbidden("saml_provider", "The role %q comes with the provider %q, which is not among the providers of the IdP %q.", shown(role.ARN), shown(role.Provider), h.sp.IdP.Name)
	}
	return role, nil
}
