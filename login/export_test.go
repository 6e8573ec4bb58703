package login

// ReturnTo is where a login leads that began at a target.
var ReturnTo = returnTo
