package config

import (
	"fmt"
	"slices"

	"github.com/rolepass/rolepass/application"
	"github.com/rolepass/rolepass/envoy/contract"
)

// application reads the application that stands in Label Studio's place.
func (s section) application(c *Config) {
	v := s.get("application")
	if !v.given() {
		return
	}
	if s.get("label_studio").given() {
		s.problem(v.place, "one Rolepass stands before one application: keep application or label_studio, and run another Rolepass for the other")
	}
	a := s.section(v, "url", "fetches", "location_header")
	app := &Application{LocationHeader: contract.LocationHeader}
	app.URL = a.origin(a.need("url", "give the address at which Envoy reaches the application, such as http://viewer:8080"))
	if at := a.get("location_header"); at.given() {
		app.LocationHeader = a.text(at)
		if err := contract.CheckLocationHeader(app.LocationHeader); err != nil && app.LocationHeader != "" {
			a.problem(at.place, "%v", err)
		}
	}
	before := len(s.problems)
	for _, item := range a.list(a.need("fetches", "list the paths that are objects, such as {path: '/files/{key...}', object: 's3://bucket/{key}'}")) {
		if f, ok := s.fetch(item); ok {
			app.Fetches = append(app.Fetches, f)
		}
	}
	if _, err := application.NewReader(app.Fetches...); err != nil && s.fine(before) {
		s.problem(s.at("application.fetches"), "%v", err)
	}
	c.Application = app
}

func (r *reader) fetch(v value) (application.Fetch, bool) {
	s := r.section(v, "path", "object")
	before := len(r.problems)
	path := s.text(s.need("path", "give the path with its variables, such as '/files/{key...}'"))
	object := s.text(s.need("object", "give the object with the same variables, such as 's3://bucket/{key}'"))
	if !r.fine(before) {
		return application.Fetch{}, false
	}
	f, err := application.ParseFetch(path, object)
	if err != nil {
		r.problem(s.place, "%v", err)
	}
	return f, err == nil
}

// compareApplication: what only Label Studio has cannot be asked of another.
func (s section) compareApplication(c *Config) {
	if c.Application == nil {
		return
	}
	for i, g := range c.GrantList {
		if !g.Scope.Anywhere {
			s.problem(s.item("grants", i), "only Label Studio has projects, workspaces and organizations to narrow a grant by: write anywhere: true")
		}
	}
	for i, f := range c.Application.Fetches {
		if !slices.ContainsFunc(c.Buckets, func(b Bucket) bool { return b.Name == f.Bucket() }) && len(c.Buckets) > 0 {
			s.problem(s.at(fmt.Sprintf("application.fetches[%d].object", i)), "there is no bucket %s: list it under buckets", f.Bucket())
		}
	}
}
