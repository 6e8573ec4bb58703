package config_test

import (
	"strings"
	"testing"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/grants"
)

// viewer is the shortest configuration for another application.
var viewer = minimal[:strings.Index(minimal, "label_studio:")] + `application: {url: http://127.0.0.1:9006, fetches: [{path: '/files/{key...}', object: 's3://imaging/{key}'}]}
`

func TestAnotherApplication(t *testing.T) {
	c, err := load(t, home(t), viewer+"delivery: header\n", config.Everything)
	if err != nil {
		t.Fatal(err)
	}
	if c.AppURL().String() != "http://127.0.0.1:9006" || c.Delivery != grants.ByHeader || c.Application.LocationHeader != "x-rolepass-location" || len(c.Application.Fetches) != 1 {
		t.Errorf("read %+v, delivery %v", c.Application, c.Delivery)
	}
	if len(c.Warnings) != 0 {
		t.Errorf("it warns: %v", c.Warnings)
	}
}

func TestMistakesWithAnotherApplication(t *testing.T) {
	for _, c := range []struct{ old, new, words string }{
		{"url: http://127.0.0.1:9006", "url: http://localhost:8080", "application.url: this is public_url itself"},
		{"url: http://127.0.0.1:9006, ", "", "application.url: it is missing"},
		{", fetches: [{path: '/files/{key...}', object: 's3://imaging/{key}'}]", "", "application.fetches: it is missing"},
		{"'/files/{key...}'", "'/{key...}'", "begins with a variable"},
		{"'/files/{key...}'", "'files/{key...}'", "begin with a slash"},
		{"s3://imaging/{key}", "s3://slides/{key}", "there is no bucket slides"},
		{"s3://imaging/{key}'}", "s3://imaging/{key}'}, {path: '/FILES/{a}', object: 's3://imaging/{a}'}", "fit the same paths"},
		{"}]}", "}], location_header: x-amz-where}", "x-amz-"},
		{"}]}", "}], location_header: Authorization}", "lower case"},
		{"}]}", "}], location_header: x-api-key}", "one of its own"},
		{"}]}", "}], confirm: uri}", "there is no such key"},
		{"anywhere: true", "projects: [12]", "only Label Studio has projects"},
	} {
		if !strings.Contains(viewer, c.old) {
			t.Fatalf("the configuration has no %q", c.old)
		}
		t.Run(c.new, func(t *testing.T) {
			refused(t, home(t), strings.Replace(viewer, c.old, c.new, 1), config.Everything, c.words)
		})
	}
}
