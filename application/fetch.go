package application

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/rolepass/rolepass/presign"
)

// Fetch is one kind of fetch: a path with variables, and the object that it
// stands for.
type Fetch struct {
	path, object string
	segments     []segment
}

// segment is one part of a path: a word, or a variable for one segment or for
// all that are left.
type segment struct {
	word, variable string
	rest           bool
}

var (
	word     = regexp.MustCompile(`^[A-Za-z0-9_~-][A-Za-z0-9._~-]*$`)
	variable = regexp.MustCompile(`^\{([a-z][a-z0-9_]*)(\.\.\.)?\}$`)
	anywhere = regexp.MustCompile(`\{([^{}]*)\}`)
)

// ParseFetch reads a path such as /files/{study}/{key...} and an object such as
// s3://imaging/{study}/{key}. A variable is one whole segment of the path, or,
// as {name...}, all segments from there; the first segment is a word. The
// bucket is written out, and each variable stands once in either.
func ParseFetch(path, object string) (Fetch, error) {
	f := Fetch{path: path, object: object}
	rest, ok := strings.CutPrefix(path, "/")
	if !ok {
		return f, errors.New("the path does not begin with a slash: write one such as /files/{key...}")
	}
	sample := map[string]string{}
	parts := strings.Split(rest, "/")
	for i, part := range parts {
		s, err := parseSegment(part)
		switch {
		case err != nil:
			return f, err
		case i == 0 && s.word == "":
			return f, errors.New("the path begins with a variable, so that every page would be an object: begin it with a word, such as /files/")
		case s.rest && i < len(parts)-1:
			return f, fmt.Errorf("something follows {%s...}, which takes all that is left: put it last", s.variable)
		case s.variable != "" && sample[s.variable] != "":
			return f, fmt.Errorf("the path has {%s} twice: name one of them differently", s.variable)
		case s.variable != "":
			sample[s.variable] = "x"
		}
		f.segments = append(f.segments, s)
	}
	if len(sample) == 0 {
		return f, errors.New("the path has no variable, so it names one object only: write one such as /files/{key...}")
	}
	return f, f.checkObject(sample)
}

func parseSegment(part string) (segment, error) {
	if found := variable.FindStringSubmatch(part); found != nil {
		return segment{variable: found[1], rest: found[2] != ""}, nil
	}
	if !word.MatchString(part) {
		return segment{}, fmt.Errorf("%q is no segment of a path: write a word of letters, digits and ._~-, or one variable such as {key}", part)
	}
	return segment{word: part}, nil
}

// checkObject wants the variables of the path, once each, and an address.
func (f Fetch) checkObject(sample map[string]string) error {
	var used []string
	for _, found := range anywhere.FindAllStringSubmatch(f.object, -1) {
		if sample[found[1]] == "" || slices.Contains(used, found[1]) {
			return fmt.Errorf("the object has {%s}, which the path has not, or has it twice", found[1])
		}
		used = append(used, found[1])
	}
	if len(used) != len(sample) {
		return errors.New("the object leaves out a variable of the path: two paths would be one object")
	}
	if strings.Contains(f.Bucket(), "{") {
		return errors.New("the bucket is a variable: write a fetch for each bucket")
	}
	if _, err := presign.ParseLocation(expand(f.object, sample)); err != nil {
		return fmt.Errorf("the object is none: %w", err)
	}
	return nil
}

// expand puts values in the place of variables, in one pass: no value is looked
// at for variables.
func expand(object string, values map[string]string) string {
	return anywhere.ReplaceAllStringFunc(object, func(found string) string { return values[found[1:len(found)-1]] })
}

// Bucket is the name of the bucket that the objects are in.
func (f Fetch) Bucket() string {
	bucket, _, _ := strings.Cut(strings.TrimPrefix(f.object, "s3://"), "/")
	return bucket
}

// String is the path with its variables.
func (f Fetch) String() string { return f.path }
