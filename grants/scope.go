package grants

import (
	"errors"
	"fmt"
	"slices"
)

// Place is where the application says that a task is. Zero is an identifier
// that the application did not name, and no scope contains it.
type Place struct {
	Organization int64
	Workspace    int64
	Project      int64
}

// Scope says in which places a grant holds. Each list that is not empty must
// contain the place's identifier. A scope without any list must say Anywhere,
// and one with a list must not: forgetting a list never widens a grant.
type Scope struct {
	Organizations []int64
	Workspaces    []int64
	Projects      []int64
	// Anywhere is every place, said explicitly.
	Anywhere bool
}

// Contains says whether a place is in the scope. The zero Scope contains none.
func (s Scope) Contains(p Place) bool {
	if s.Anywhere {
		return true
	}
	return s.narrowness() > 0 &&
		within(s.Organizations, p.Organization) && within(s.Workspaces, p.Workspace) && within(s.Projects, p.Project)
}

func within(ids []int64, id int64) bool {
	return len(ids) == 0 || id != 0 && slices.Contains(ids, id)
}

// narrowness orders scopes: a project is narrower than a workspace, that than
// an organization, and that than anywhere; two dimensions are narrower than
// either alone. How many identifiers a list has does not count.
func (s Scope) narrowness() int {
	n := 0
	if len(s.Organizations) > 0 {
		n |= 1
	}
	if len(s.Workspaces) > 0 {
		n |= 2
	}
	if len(s.Projects) > 0 {
		n |= 4
	}
	return n
}

// Check says what is wrong with a scope, if anything.
func (s Scope) Check() error {
	listed := s.narrowness() > 0
	switch {
	case !listed && !s.Anywhere:
		return errors.New("it says nowhere where it holds: name projects, workspaces or organizations, or write anywhere: true for every place")
	case listed && s.Anywhere:
		return errors.New("it says anywhere: true and names places, too: leave out one of the two")
	}
	for _, list := range []struct {
		name string
		ids  []int64
	}{{"organizations", s.Organizations}, {"workspaces", s.Workspaces}, {"projects", s.Projects}} {
		if err := checkIDs(list.name, list.ids); err != nil {
			return err
		}
	}
	return nil
}

func checkIDs(name string, ids []int64) error {
	seen := map[int64]bool{}
	for _, id := range ids {
		switch {
		case id <= 0:
			return fmt.Errorf("%s has %d: give the numbers of the application, which begin with 1", name, id)
		case seen[id]:
			return fmt.Errorf("%s has %d twice: leave one out", name, id)
		}
		seen[id] = true
	}
	return nil
}

// overlaps says whether some place is in both of two scopes of one narrowness.
func (s Scope) overlaps(t Scope) bool {
	return meet(s.Organizations, t.Organizations) && meet(s.Workspaces, t.Workspaces) && meet(s.Projects, t.Projects)
}

func meet(a, b []int64) bool {
	if len(a) == 0 && len(b) == 0 {
		return true
	}
	return slices.ContainsFunc(a, func(id int64) bool { return slices.Contains(b, id) })
}

// narrowest is the list by which a scope is found: the one of its narrowest
// dimension, and the place's identifier in that dimension.
func (s Scope) narrowest() []int64 {
	switch {
	case len(s.Projects) > 0:
		return s.Projects
	case len(s.Workspaces) > 0:
		return s.Workspaces
	}
	return s.Organizations
}

func (p Place) narrowest(narrowness int) int64 {
	switch {
	case narrowness&4 != 0:
		return p.Project
	case narrowness&2 != 0:
		return p.Workspace
	}
	return p.Organization
}
