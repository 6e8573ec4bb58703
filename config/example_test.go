package config_test

import (
	"testing"

	"github.com/rolepass/rolepass/application"
	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/grants"
	"github.com/rolepass/rolepass/labelstudio"
)

// The example for another application is whole, and reads as its comments say.
func TestTheExampleOfAnotherApplication(t *testing.T) {
	c, err := config.Load("testdata/application.yaml", config.ForEnvoy)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) != 0 {
		t.Errorf("it warns: %v", c.Warnings)
	}
	reader, err := application.NewReader(c.Application.Fetches...)
	if err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]string{
		"/files/slides/a%20b.svs": "s3://imaging/slides/a b.svs",
		"/studies/7/notes/first":  "s3://notes/7/first.txt",
		"/":                       "",
		"/files/slides/..%2fa":    "refused",
		"//files/slides/a":        "refused",
	} {
		got := reader.Read("GET", target)
		switch {
		case want == "refused" && got.Kind != labelstudio.Refused,
			want == "" && got.Kind != labelstudio.App,
			want != "" && want != "refused" && (got.Kind != labelstudio.Fetch || got.Location.URI() != want):
			t.Errorf("%s is %v %s, want %q", target, got.Kind, got.Location.URI(), want)
		}
	}
	choice, ok := c.Grants.Choose([]string{"arn:aws:iam::111122223333:role/pathology"}, reader.Read("GET", "/files/slides/a.svs").Location, grants.Place{})
	if !ok || choice.Grant.Deliver != grants.ByHeader {
		t.Errorf("pathology's slides: %v %+v", ok, choice)
	}
}
