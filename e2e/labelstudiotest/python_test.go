package labelstudiotest_test

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// python is a program of testdata in the installed Label Studio's own Python,
// with a document of JSON per line on both sides.
type python struct {
	stdin  io.WriteCloser
	stdout *bufio.Reader
}

// runs starts the program, which ends with the test.
func runs(t testing.TB, program string) *python {
	t.Helper()
	binary := os.Getenv("ROLEPASS_LABEL_STUDIO_BIN")
	if binary == "" {
		t.Fatal("ROLEPASS_LABEL_STUDIO_BIN does not name a Label Studio: run through make test")
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(filepath.Dir(binary), "python"), filepath.Join("testdata", program))
	cmd.Env = append(environment(t.TempDir(), "a key of the test"), "PYTHONDONTWRITEBYTECODE=1")
	said, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = said
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting Label Studio's Python: %v", err)
	}
	t.Cleanup(func() {
		_ = stdin.Close() // on which it ends
		_ = cmd.Wait()
		if text, err := os.ReadFile(said.Name()); err == nil && t.Failed() {
			t.Logf("%s said at the end:\n%s", program, text[max(0, len(text)-2000):])
		}
		_ = said.Close()
	})
	return &python{stdin, bufio.NewReaderSize(stdout, 1<<16)}
}

// reads decodes the next line; false at the end.
func (p *python) reads(t testing.TB, into any) bool {
	t.Helper()
	line, err := p.stdout.ReadBytes('\n')
	if err == io.EOF && len(line) == 0 {
		return false
	}
	if err == nil {
		err = json.Unmarshal(line, into)
	}
	if err != nil {
		t.Fatalf("the program said %q: %v", line, err)
	}
	return true
}

// asks sends a line and decodes the answer.
func (p *python) asks(t testing.TB, question, into any) {
	t.Helper()
	line, err := json.Marshal(question)
	if err == nil {
		_, err = p.stdin.Write(append(line, '\n'))
	}
	if err != nil {
		t.Fatalf("asking the program: %v", err)
	}
	if !p.reads(t, into) {
		t.Fatal("the program ended")
	}
}
