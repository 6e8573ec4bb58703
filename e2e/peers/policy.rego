# A request with the cookie of a session is allowed, and says whose it is.
package envoy.authz

default allow := false

cookies[name] := value if {
	some pair in split(input.attributes.request.http.headers.cookie, "; ")
	[name, value] := split(pair, "=")
}

allow := {"allowed": true, "headers": {"x-user": user}} if {
	user := data.sessions[cookies["__Host-rolepass"]]
}
