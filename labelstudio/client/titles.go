package client

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
)

const (
	// projectsPage is how many projects Label Studio lists at once, at most.
	projectsPage = 100
	// maxPages bounds a list of projects.
	maxPages = 1000
)

// Titled finds the projects with these titles, each of which must be that of
// exactly one. It asks as somebody who sees all projects, and keeps nothing.
func (c *Client) Titled(ctx context.Context, asker Asker, titles []string) (map[string]int64, error) {
	found := map[string]int64{}
	for page, more := 1, true; more; page++ {
		if page > maxPages {
			return nil, fmt.Errorf("Label Studio lists more than %d projects, so that no title is sure to be unique: write numbers", maxPages*projectsPage)
		}
		var list struct {
			Next    *string `json:"next"`
			Results []struct {
				ID    int64  `json:"id"`
				Title string `json:"title"`
			} `json:"results"`
		}
		query := url.Values{"include": {"id,title"}, "ordering": {"id"}, "page": {strconv.Itoa(page)}, "page_size": {strconv.Itoa(projectsPage)}}
		if err := c.get(ctx, asker, "projects", "/api/projects/", query.Encode(), &list); err != nil {
			return nil, err
		}
		for _, project := range list.Results {
			if !slices.Contains(titles, project.Title) {
				continue
			}
			if other, twice := found[project.Title]; twice && other != project.ID {
				return nil, fmt.Errorf("the projects %d and %d are both titled %q: write the number of the one that is meant", other, project.ID, project.Title)
			}
			found[project.Title] = project.ID
		}
		more = list.Next != nil && *list.Next != ""
	}
	for _, title := range titles {
		if found[title] <= 0 {
			return nil, fmt.Errorf("no project is titled %q, letter by letter", title)
		}
	}
	return found, nil
}
