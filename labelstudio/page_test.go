package labelstudio_test

import (
	"strings"
	"testing"

	"github.com/rolepass/rolepass/labelstudio"
)

func TestAPageOfTasks(t *testing.T) {
	for target, want := range map[string]labelstudio.Page{
		"/api/tasks?page=2&page_size=30&view=3&project=12":               {Project: 12, View: 3, Number: 2, Size: 30},
		"/api/tasks/?project=12":                                         {Project: 12, Number: 1, Size: 100},
		"/api/tasks?project=12&interaction=scroll&fields=all&include=id": {Project: 12, Number: 1, Size: 100},
		"/api/tasks?project=12&query=%7B%22ordering%22%3A%5B%5D%7D":      {Project: 12, Number: 1, Size: 100, Query: `{"ordering":[]}`},
		"/api/tasks?view=3":                                              {},
		"/api/tasks?project=12&project=13":                               {},
		"/api/tasks?project=12&page=2&page=2":                            {},
		"/api/tasks?project=12&query=a&query=b":                          {},
		"/api/tasks?project=12&query=%zz":                                {},
		"/api/tasks?project=12&query=" + strings.Repeat("a", 4097):       {},
		"/api/tasks?project=12&query=a;view=3":                           {},
		"/api/tasks?%70roject=12":                                        {},
		"/api/tasks?project=12&=":                                        {},
		"/api/tasks?&project=12&":                                        {Project: 12, Number: 1, Size: 100},
		"/api/tasks?project=012":                                         {},
		"/api/tasks?project=12&page=x":                                   {},
		"/api/tasks?project=12;page=1":                                   {},
		"/api/tasks?project=12&something=new":                            {},
		"/api/tasks/7/?project=12":                                       {},
		"/api/%74asks?project=12":                                        {},
		"/api/projects/12/tasks/?project=12":                             {},
		"/api/tasks":                                                     {},
	} {
		got, ok := labelstudio.ReadPage(target)
		if ok != (want.Project > 0) || ok && got != want {
			t.Errorf("%s: %+v %v", target, got, ok)
		}
	}
}
