package config

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong in a file, and what to do about it.
type Problem struct {
	File string
	// Line counts from 1.
	Line int
	// Path is the key, such as grants[2].read[0]; empty for the whole file.
	Path     string
	Sentence string
}

// String is FILE:LINE: PATH: SENTENCE.
func (p Problem) String() string {
	if p.Path == "" {
		return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Sentence)
	}
	return fmt.Sprintf("%s:%d: %s: %s", p.File, p.Line, p.Path, p.Sentence)
}

// Problems are all that is wrong in a file, in the order of its lines. As an
// error it has one problem on each line.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}
