package saml

import (
	"log/slog"
	"time"

	"github.com/rolepass/rolepass/refusal"
)

// Role is the pair of ARNs that AWS puts into one value of the attribute
// https://aws.amazon.com/SAML/Attributes/Role: the role to assume and the
// SAML provider that vouches for it.
type Role struct {
	ARN      string
	Provider string
}

// IgnoredRole is a value of the attribute Role that is not used, and why.
type IgnoredRole struct {
	Value   string
	Refusal *refusal.Refusal
}

// Principal is who signed in, as the IdP names them.
type Principal struct {
	// IdP is the configured name of the identity provider. A NameID means
	// nothing without it.
	IdP string
	// NameID and NameIDFormat are the assertion's Subject.
	NameID       string
	NameIDFormat string
	// SessionName is AWS's RoleSessionName attribute.
	SessionName string
	// Email, FirstName and LastName are for the application's account. They
	// decide nothing about data.
	Email     string
	FirstName string
	LastName  string
}

// LogValue keeps people out of logs: only the IdP's name is shown.
func (p Principal) LogValue() slog.Value {
	return slog.GroupValue(slog.String("idp", p.IdP))
}

// Assertion is what the IdP said, verified. It holds values only, never the
// XML that they came from.
type Assertion struct {
	ID           string
	Issuer       string
	InResponseTo string
	// Recipient is SubjectConfirmationData/@Recipient: our ACS, and what STS
	// calls the Audience in its answer.
	Recipient string
	// Audiences are the values of the one AudienceRestriction.
	Audiences []string
	Principal Principal
	// Roles are the pairs whose provider is one of the IdP's, in the order
	// of the assertion, each once.
	Roles []Role
	// Ignored are the other values of the attribute Role, with the reason.
	Ignored []IgnoredRole
	// Attributes are all attributes by name, for `rolepass debug assertion`.
	Attributes map[string][]string

	IssueInstant time.Time
	AuthnInstant time.Time
	// NotOnOrAfter is the earliest of every end that the assertion states.
	NotOnOrAfter time.Time
	// SessionNotOnOrAfter is the zero time when the IdP states none.
	SessionNotOnOrAfter time.Time
	// SessionIndex names the person's session at the IdP, for single logout.
	SessionIndex string
}
