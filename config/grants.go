package config

import (
	"errors"

	"github.com/rolepass/rolepass/grants"
)

func (s section) grantList(c *Config, l *lines) {
	list := s.wanted(s.whole(), "grants", "give at least one grant with role, read and where it holds")
	before := len(s.problems)
	for _, item := range s.list(list) {
		g, reads := s.grant(c, item)
		c.GrantList = append(c.GrantList, g)
		l.reads = append(l.reads, reads)
	}
	if s.fine(before) && len(c.GrantList) > 0 {
		s.compile(c, l)
	}
}

// grant reads one grant and where each of its prefixes stands.
func (r *reader) grant(c *Config, v value) (grants.Grant, []place) {
	s := r.section(v, "role", "read", "organizations", "workspaces", "projects", "project_titles", "anywhere", "deliver")
	before := len(r.problems)
	var g grants.Grant
	role := s.need("role", "give the ARN of the role that may read")
	if g.Role = s.text(role); g.Role != "" {
		if err := grants.CheckRole(g.Role); err != nil {
			r.problem(role.place, "%v", err)
		}
	}
	var reads []place
	for _, item := range s.list(s.need("read", "list the prefixes that the role may read, such as [s3://bucket/folder/]")) {
		if p, ok := s.prefix(item); ok {
			g.Read, reads = append(g.Read, p), append(reads, item.place)
		}
	}
	g.Scope = grants.Scope{
		Organizations: s.ids("organizations"),
		Workspaces:    s.ids("workspaces"),
		Projects:      append(s.ids("projects"), s.titles(c)...),
		Anywhere:      s.boolean(s.get("anywhere")),
	}
	g.Deliver = s.delivery("deliver")
	if r.fine(before) {
		if err := g.Scope.Check(); err != nil {
			r.problem(s.place, "%v", err)
		}
	}
	return g, reads
}

func (r *reader) prefix(v value) (grants.Prefix, bool) {
	text := r.text(v)
	if text == "" {
		return grants.Prefix{}, false
	}
	p, err := grants.ParsePrefix(text)
	if err != nil {
		r.problem(v.place, "%v", err)
	}
	return p, err == nil
}

func (s section) ids(name string) []int64 {
	var ids []int64
	for _, item := range s.list(s.get(name)) {
		ids = append(ids, s.integer(item))
	}
	return ids
}

// compile makes the set, and finds the lines of what does not compile.
func (s section) compile(c *Config, l *lines) {
	set, problems := grants.Compile(c.GrantList, c.kms())
	c.Grants = set
	for _, err := range problems {
		at := place{line: s.line, path: "grants"}
		var of *grants.Error
		if errors.As(err, &of) {
			if at, err = s.item("grants", of.Index), of.Err; of.Read >= 0 {
				at = l.reads[of.Index][of.Read]
			}
		}
		s.problem(at, "%v", err)
	}
}
