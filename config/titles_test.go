package config_test

import (
	"strings"
	"testing"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/grants"
)

// A title holds nowhere until it is pinned, and then in that project only.
func TestTitlesArePinned(t *testing.T) {
	c, err := load(t, home(t), strings.Replace(minimal, "anywhere: true", "projects: [7], project_titles: [Radiology, Ultrasound]", 1), config.Everything)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Titles) != 2 || c.Titles[0] != "Radiology" {
		t.Fatalf("the titles are %v", c.Titles)
	}
	holds := func() (in []int64) {
		for project := int64(0); project < 20; project++ {
			if c.GrantList[0].Scope.Contains(grants.Place{Project: project, Organization: 1}) {
				in = append(in, project)
			}
		}
		return in
	}
	if in := holds(); len(in) != 1 || in[0] != 7 {
		t.Errorf("before it is pinned the grant holds in %v", in)
	}
	before := c.Grants
	for name, numbers := range map[string]map[string]int64{
		"one is missing":   {"Radiology": 12},
		"one is no number": {"Radiology": 12, "Ultrasound": 0},
		"one is there":     {"Radiology": 12, "Ultrasound": 7},
		"both are one":     {"Radiology": 12, "Ultrasound": 12},
	} {
		if err := c.Pin(numbers); err == nil || c.Grants != before || len(holds()) != 1 {
			t.Errorf("%s: %v, and the grant holds in %v", name, err, holds())
		}
	}
	if err := c.Pin(map[string]int64{"Radiology": 12, "Ultrasound": 14}); err != nil {
		t.Fatal(err)
	}
	if in := holds(); len(in) != 3 || in[1] != 12 || in[2] != 14 || c.Grants == before {
		t.Errorf("the grant holds in %v", in)
	}
}

func TestTitlesNeedSomebodyWhoLooksThemUp(t *testing.T) {
	text := strings.Replace(minimal, "anywhere: true", "project_titles: [Radiology]", 1)
	at := strings.Index(text, "label_studio:")
	text = text[:at] + "label_studio: {url: \"http://127.0.0.1:8080\", sign_in: own}\n" + text[at+strings.Index(text[at:], "\n")+1:]
	refused(t, home(t), text, config.Everything, "write the projects' numbers")
}
