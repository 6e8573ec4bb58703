package stack

import (
	"fmt"
	"os"
	"strings"
)

// Tools are the programs of others that the stack runs.
type Tools struct {
	Envoy       string
	LabelStudio string
	// Template is a database of Label Studio's, migrated and empty.
	Template string
	MinIO    string
}

// FromEnvironment takes the tools from ROLEPASS_… variables, which make sets.
func FromEnvironment() (Tools, error) {
	var t Tools
	var missing []string
	for _, one := range []struct {
		name string
		into *string
	}{
		{"ROLEPASS_ENVOY", &t.Envoy}, {"ROLEPASS_LABEL_STUDIO_BIN", &t.LabelStudio}, {"ROLEPASS_LABEL_STUDIO_TEMPLATE", &t.Template},
		{"ROLEPASS_MINIO", &t.MinIO},
	} {
		*one.into = os.Getenv(one.name)
		if _, err := os.Stat(*one.into); err != nil {
			missing = append(missing, one.name)
		}
	}
	if len(missing) > 0 {
		return Tools{}, fmt.Errorf("nothing is where these say: %s; run through make, which installs what they name", strings.Join(missing, ", "))
	}
	return t, nil
}
