package labelstudio

import "github.com/rolepass/rolepass/refusal"

// Target takes a request target apart, or refuses it, as Read does. With Forms
// it is for readers of another application's URLs.
func Target(method, target string) (path, query string, r *refusal.Refusal) {
	return split(method, target)
}

// Forms gives every path that servers may make of this one, itself first.
func Forms(path string) ([]string, *refusal.Refusal) { return forms(path) }
