package labelstudio

import (
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
	if path != "/api/tasks" && path != "/api/tasks/" {
		return Page{}, false
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return Page{}, false
	}
	p := Page{Number: 1, Size: 100} // Label Studio's own defaults
	numbers := map[string]*int64{"project": &p.Project, "view": &p.View, "page": &p.Number, "page_size": &p.Size}
	for name, given := range values {
		number, ok := numbers[name]
		switch {
		case len(given) != 1:
			return Page{}, false
		case ok:
			if *number, ok = identifier(given[0]); !ok {
				return Page{}, false
			}
		case name == "query" && len(given[0]) <= maxQuery:
			p.Query = given[0]
		case name == "fields", name == "include", name == "interaction", name == "resolve_uri": // how, not which
		default:
			return Page{}, false
		}
	}
	return p, p.Project > 0
}
