// Command claims holds what the documents promise against what the tests did.
//
//	go run ./e2e/claims -events e2e/artefacts/test.json README.md docs/security.md
//
// It reads the events that make test wrote and fails, naming everything at
// once, when
//   - a test failed, was skipped or did not end;
//   - a test that stands in the source did not run, or a package that needs
//     the real parts had none;
//   - a claim in a document names a file or a test that is not there, or a
//     test that did not pass.
//
// A claim is a Markdown link whose title begins with Test:
//
//	[S3 sees no cookie](e2e/fetch_test.go#L10 "TestFetch/picture")
//
// Tests with a build tag of a lane, and those of a module beside ours, are not in the
// events, because a lane runs by itself, and only when what it tests has changed. A claim may name one as a
// whole: it must be there, and nothing in its file may skip.
//
// It runs no test itself.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/rolepass/rolepass/e2e/testlog"
)

// module is the prefix of our packages.
const module = "github.com/rolepass/rolepass"

// indispensable are the packages that drive Envoy, Label Studio, the S3
// server and the browser.
var indispensable = []string{"e2e", "e2e/envoytest", "e2e/labelstudiotest", "e2e/s3guard", "e2e/ststest"}

func main() {
	events := flag.String("events", "e2e/artefacts/test.json", "the events that make test wrote")
	flag.Parse()
	problems, err := run(".", *events, flag.Args(), os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, problem := range problems {
		fmt.Fprintln(os.Stderr, problem)
	}
	if len(problems) > 0 {
		os.Exit(1)
	}
}

// run checks the checkout in a folder, and says how much it found.
func run(root, events string, documents []string, say io.Writer) ([]string, error) {
	results, err := testlog.Read(events)
	if err != nil {
		return nil, err
	}
	written, err := sourceTests(root)
	if err != nil {
		return nil, err
	}
	problems := checkRun(results, written)
	claims := 0
	for _, document := range documents {
		found, err := readClaims(root, document)
		if err != nil {
			return nil, err
		}
		claims += len(found)
		for _, c := range found {
			if problem := c.check(root, results); problem != "" {
				problems = append(problems, problem)
			}
		}
	}
	fmt.Fprintf(say, "%d tests in the source, %d results, %d claims, %d problems\n", len(written), len(results), claims, len(problems))
	return problems, nil
}
