// Package grants says which role reads what, and what follows from it.
//
// A Grant lets one role read the objects under some prefixes, in some places
// of the application. Grants come from the configuration and are compiled:
//
//	set, problems := grants.Compile(list, nil)
//	set.Granted(role)                      // at a login: take this role?
//	set.SessionPolicies(role)              // and narrow its credentials to this
//	set.Any(roles, location)               // at a fetch: is there any point in asking the app?
//	set.Choose(roles, location, place)     // under which role, then
//
// Prefixes are compared byte by byte; nothing is a pattern. What is not
// granted is refused: there are no rules that deny, and no default.
//
// Role and prefix are the boundary, because the session policy enforces them
// at the store. Places only narrow what is signed: in Label Studio Community
// every member can edit tasks and projects. The package knows neither who
// somebody is nor whether the application shows them the task.
package grants
