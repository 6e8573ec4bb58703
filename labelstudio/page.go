package labelstudio

import (
	"cmp"
	"net/url"
	"strings"
)

// Page is a page of tasks as the Data Manager asks for one.
type Page struct {
	Project, View, Number, Size int64
	// Query is the selection as JSON where there is no view; may be empty.
	Query string
}

// maxQuery bounds a selection that is worth remembering.
const maxQuery = 4 << 10

// ReadPage reads the target of a request for a page of tasks,
//
//	/api/tasks?page=1&page_size=30&view=3&project=12
//
// as Label Studio's own pages write it. False is for everything else.
func ReadPage(target string) (Page, bool) {
	path, query, _ := strings.Cut(target, "?")
	if path != "/api/tasks" && path != "/api/tasks/" || strings.Contains(query, ";") {
		return Page{}, false
	}
	var p Page
	for parameter := range strings.SplitSeq(query, "&") {
		if name, value, _ := strings.Cut(parameter, "="); parameter != "" && !p.set(name, value) {
			return Page{}, false
		}
	}
	p.Number, p.Size = cmp.Or(p.Number, 1), cmp.Or(p.Size, 100) // Label Studio's own defaults
	return p, p.Project > 0
}

// set takes one parameter, which may come once. The numbers are never zero.
func (p *Page) set(name, value string) bool {
	number := &p.Project
	switch name {
	case "project":
	case "view":
		number = &p.View
	case "page":
		number = &p.Number
	case "page_size":
		number = &p.Size
	case "query":
		text, err := url.QueryUnescape(value)
		if err != nil || len(text) > maxQuery || p.Query != "" {
			return false
		}
		p.Query = text
		return true
	case "fields", "include", "interaction", "resolve_uri": // how, not which
		return true
	default:
		return false
	}
	id, ok := identifier(value)
	if !ok || *number != 0 {
		return false
	}
	*number = id
	return true
}
