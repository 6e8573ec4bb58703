package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// hashOf is a hash over the names and contents of all files below the inputs
// that Git knows or would take, and over the command.
func hashOf(ctx context.Context, root string, inputs, command []string) (string, error) {
	sum := sha256.New()
	fmt.Fprintf(sum, "%q\n", command)
	for _, input := range inputs {
		if _, err := os.Stat(filepath.Join(root, input)); err != nil {
			return "", fmt.Errorf("an input of the lane is not there: %w", err)
		}
	}
	names, err := filesOf(ctx, root, inputs)
	if err != nil {
		return "", err
	}
	for _, name := range names {
		if err := add(sum, root, name); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// filesOf lists tracked files and those that are not ignored, each once.
func filesOf(ctx context.Context, root string, inputs []string) ([]string, error) {
	list := exec.CommandContext(ctx, "git", append([]string{"ls-files", "-z", "--cached", "--others", "--exclude-standard", "--"}, inputs...)...)
	list.Dir = root
	var said bytes.Buffer
	list.Stderr = &said
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("listing the inputs of the lane: %w\n%s", err, said.Bytes())
	}
	names := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	slices.Sort(names)
	return slices.Compact(names), nil
}

// add takes in one file, or that a tracked one is gone.
func add(sum io.Writer, root, name string) error {
	content, err := os.ReadFile(filepath.Join(root, name))
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading an input of the lane: %w", err)
	}
	fmt.Fprintf(sum, "%q %x\n", name, sha256.Sum256(content))
	return nil
}
