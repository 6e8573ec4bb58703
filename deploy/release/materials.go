package main

import (
	"encoding/json"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// component is one module in a CycloneDX bill of materials.
type component struct {
	Type       string     `json:"type"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	PURL       string     `json:"purl,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// materials is a program's bill of materials (CycloneDX 1.6), from what Go
// itself wrote into the program.
func (s *source) materials(name string, info *debug.BuildInfo) ([]byte, error) {
	components := []component{{Type: "library", Name: "std", Version: info.GoVersion, PURL: "pkg:golang/std@" + strings.TrimPrefix(info.GoVersion, "go")}}
	for _, module := range info.Deps {
		if module.Replace != nil {
			module = module.Replace
		}
		components = append(components, component{
			Type: "library", Name: module.Path, Version: module.Version, PURL: "pkg:golang/" + module.Path + "@" + module.Version,
			Properties: []property{{"go:sum", module.Sum}},
		})
	}
	return written(map[string]any{
		"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
		"metadata": map[string]any{
			"timestamp": s.time.UTC().Format(time.RFC3339),
			"component": component{Type: "application", Name: name, Version: info.Main.Version, PURL: "pkg:golang/" + info.Path + "@" + info.Main.Version},
		},
		"components": components,
	})
}

// provenance is an in-toto statement with SLSA's predicate: which commit, built
// how, became this archive. It is not signed; who publishes signs it.
func (s *source) provenance(name, sum string) ([]byte, error) {
	return written(map[string]any{
		"_type":         "https://in-toto.io/Statement/v1",
		"subject":       []any{map[string]any{"name": name, "digest": map[string]string{"sha256": sum}}},
		"predicateType": "https://slsa.dev/provenance/v1",
		"predicate": map[string]any{
			"buildDefinition": map[string]any{
				"buildType":            "https://github.com/rolepass/rolepass/deploy/release",
				"externalParameters":   map[string]any{"version": s.version},
				"internalParameters":   map[string]any{"go": runtime.Version(), "flags": flags, "platform": runtime.GOOS + "/" + runtime.GOARCH, "cgo": false},
				"resolvedDependencies": []any{map[string]any{"uri": "git+https://github.com/rolepass/rolepass", "digest": map[string]string{"gitCommit": s.commit}}},
			},
			"runDetails": map[string]any{"builder": map[string]string{"id": "https://github.com/rolepass/rolepass/deploy/release"}},
		},
	})
}

func written(document any) ([]byte, error) {
	text, err := json.MarshalIndent(document, "", "  ")
	return append(text, '\n'), err
}
