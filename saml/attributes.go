package saml

import "strings"

// Names under which IdPs send who somebody is: the plain ones of Okta,
// Keycloak and Google, the claims of Entra and AD FS, and LDAP's OIDs as
// Shibboleth sends them.
var (
	emailAttributes = []string{
		"Email", "email", "mail", "emailAddress", "EmailAddress", "emailaddress", "Mail",
		"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
		"urn:oid:0.9.2342.19200300.100.1.3",
	}
	firstNameAttributes = []string{
		"FirstName", "firstName", "firstname", "first_name", "givenName", "GivenName", "given_name",
		"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname",
		"urn:oid:2.5.4.42",
	}
	lastNameAttributes = []string{
		"LastName", "lastName", "lastname", "last_name", "surname", "Surname", "sn", "family_name",
		"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname",
		"urn:oid:2.5.4.4",
	}
)

// maxPersonal is longer than any e-mail address or name that an application
// would take.
const maxPersonal = 254

// first is the value of the first attribute that is there with one plain
// value; "" if there is none. The values are for the application's account
// and decide nothing, so an odd one is left out rather than refused.
func (s *statement) first(configured, usual []string) string {
	names := configured
	if len(names) == 0 {
		names = usual
	}
	for _, name := range names {
		values, _ := s.values(name)
		if len(values) == 0 {
			continue
		}
		value := strings.TrimSpace(values[0])
		if value != "" && len(value) <= maxPersonal && !strings.ContainsFunc(value, unprintable) {
			return value
		}
	}
	return ""
}
