package corpus_test

import (
	"strings"
	"testing"

	"github.com/rolepass/rolepass/e2e/corpus"
	"github.com/rolepass/rolepass/labelstudio"
)

// The corpus has everything that it is said to have, and what is written as
// Label Studio's pages write it is read.
func TestTheCorpus(t *testing.T) {
	fetch := corpus.Fetch{Task: 12, Project: 3, URI: "s3://imaging/radiology/lung.png", Host: "label.test"}
	targets := fetch.Targets()
	if len(targets) < 500 {
		t.Errorf("there are %d targets", len(targets))
	}
	for i, target := range targets {
		if strings.ContainsAny(target, " \r\n\x00") {
			t.Errorf("%q is no request target", target)
		}
		reading := labelstudio.Read("GET", target)
		if plain := i < len(fetch.Plain()); plain && (reading.Kind != labelstudio.Fetch || reading.Location.URI() != fetch.URI) {
			t.Errorf("%s is read as %s", target, reading.Kind)
		}
	}
}
