package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/rolepass/rolepass/e2e/testlog"
)

// claim is one promise of a document and the test that would break with it.
type claim struct {
	document string // relative to the checkout, with slashes
	line     int
	file     string // of the test, relative to the checkout
	test     string // TestName or TestName/sub
}

// link is [text](target "title"), also over the end of a line.
var link = regexp.MustCompile(`\]\(\s*<?([^\s()<>]+)>?\s+["'](Test[^"']*)["']\s*\)`)

// readClaims finds the claims of a document. A document that is not there is
// an error: a check that checks nothing must not pass.
func readClaims(root, document string) ([]claim, error) {
	text, err := os.ReadFile(filepath.Join(root, document))
	if err != nil {
		return nil, fmt.Errorf("reading the claims: %w", err)
	}
	var claims []claim
	for _, at := range link.FindAllSubmatchIndex(text, -1) {
		target, _, _ := strings.Cut(string(text[at[2]:at[3]]), "#")
		claims = append(claims, claim{
			document: document, line: 1 + strings.Count(string(text[:at[0]]), "\n"),
			file: path.Join(path.Dir(filepath.ToSlash(document)), target), test: string(text[at[4]:at[5]]),
		})
	}
	if len(claims) == 0 {
		return nil, fmt.Errorf("%s has no claim with a test: a link whose title begins with Test", document)
	}
	return claims, nil
}

// check says what is wrong with a claim; "" when it is borne out.
func (c claim) check(root string, results testlog.Results) string {
	where := fmt.Sprintf("%s:%d: %s %q", c.document, c.line, c.file, c.test)
	names, err := testsOf(filepath.Join(root, filepath.FromSlash(c.file)))
	if err != nil {
		return fmt.Sprintf("%s: the file cannot be read as one of tests: %v", where, err)
	}
	function, _, _ := strings.Cut(c.test, "/")
	if !strings.HasSuffix(c.file, "_test.go") || !slices.Contains(names, function) {
		return fmt.Sprintf("%s: there is no test %s in this file", where, function)
	}
	lane, err := laneOf(filepath.Join(root, filepath.FromSlash(c.file)))
	if err != nil {
		return fmt.Sprintf("%s: %v", where, err)
	}
	if lane || belowOwnModule(root, c.file) {
		return c.checkLane(root, where)
	}
	// Go writes the names of subtests without spaces.
	test := testlog.Test{Package: path.Join(module, path.Dir(c.file)), Name: strings.ReplaceAll(c.test, " ", "_")}
	switch how, ran := results[test]; {
	case !ran:
		return fmt.Sprintf("%s: the test did not run", where)
	case how != "pass":
		return fmt.Sprintf("%s: the test %s", where, words[how])
	}
	return ""
}

// checkLane says what is wrong with a claim whose test is a lane's. The lane has
// passed, or CI had stopped there: now, or before nothing changed of what it
// tests. Its events are not here, so that the claim is the whole test, and one
// that nothing skips.
func (c claim) checkLane(root, where string) string {
	if strings.Contains(c.test, "/") {
		return where + ": the test is a lane's, whose subtests are not known here: claim the whole test"
	}
	skips, err := skips(filepath.Join(root, filepath.FromSlash(c.file)))
	if err != nil {
		return fmt.Sprintf("%s: %v", where, err)
	}
	if skips {
		return where + ": a test in this file may skip itself, and nobody would see it"
	}
	return ""
}
