package main

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// manifest is a file for `kubectl apply`, by who reads its documents.
type manifest struct {
	// istio is what istiod watches, kubernetes what it knows of the cluster.
	istio, kubernetes string
	// mesh is the mesh configuration, in the ConfigMap where Istio has it.
	mesh string
}

func readManifest(text string) (manifest, error) {
	var m manifest
	for document := range strings.SplitSeq(text, "---\n") {
		var kind struct{ APIVersion, Kind string }
		if err := yaml.Unmarshal([]byte(document), &kind); err != nil {
			return m, fmt.Errorf("reading the manifest: %w", err)
		}
		switch {
		case kind.Kind == "ConfigMap":
			var c corev1.ConfigMap
			if err := yaml.UnmarshalStrict([]byte(document), &c); err != nil {
				return m, fmt.Errorf("reading the mesh configuration: %w", err)
			}
			m.mesh = c.Data["mesh"]
		case kind.APIVersion == "v1" || kind.APIVersion == "discovery.k8s.io/v1":
			m.kubernetes += "---\n" + document
		default:
			m.istio += "---\n" + document
		}
	}
	return m, nil
}
