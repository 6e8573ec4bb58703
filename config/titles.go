package config

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/rolepass/rolepass/grants"
)

// unpinned is where the numbers begin that stand for titles, downwards, until
// Pin says which projects they mean. No project has one of them, so a title
// that nobody pinned holds nowhere.
const unpinned = math.MaxInt64

// titles reads titles of projects as the numbers that stand for them.
func (s section) titles(c *Config) []int64 {
	var ids []int64
	for _, title := range s.texts(s.get("project_titles")) {
		at := slices.Index(c.Titles, title)
		if at < 0 {
			at = len(c.Titles)
			c.Titles = append(c.Titles, title)
		}
		ids = append(ids, unpinned-int64(at))
	}
	return ids
}

// Pin puts the numbers of projects in place of Titles. It happens once, at the
// start: a project that is renamed later stays what it was.
func (c *Config) Pin(numbers map[string]int64) error {
	list := slices.Clone(c.GrantList)
	for i, g := range list {
		projects := slices.Clone(g.Scope.Projects)
		for j, id := range projects {
			at := unpinned - id
			if at >= int64(len(c.Titles)) {
				continue // a number of the file's own
			}
			number, ok := numbers[c.Titles[at]]
			if !ok || number <= 0 {
				return fmt.Errorf("grants[%d].project_titles: no number was found for %q", i, c.Titles[at])
			}
			projects[j] = number
		}
		list[i].Scope.Projects = projects
	}
	set, problems := grants.Compile(list, c.kms())
	if len(problems) > 0 {
		return fmt.Errorf("with numbers in place of project_titles: %w", errors.Join(problems...))
	}
	c.GrantList, c.Grants = list, set
	return nil
}
