package grants

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Grant is one rule: a role may read what is under the prefixes, where the
// scope says.
type Grant struct {
	// Role is the ARN of the role, arn:PARTITION:iam::ACCOUNT:role/NAME.
	Role  string
	Read  []Prefix
	Scope Scope
	// Deliver is how its objects are delivered. It has no part in who may read
	// them.
	Deliver Delivery
}

// clone is a copy that shares nothing.
func (g Grant) clone() Grant {
	g.Read = slices.Clone(g.Read)
	g.Scope.Organizations = slices.Clone(g.Scope.Organizations)
	g.Scope.Workspaces = slices.Clone(g.Scope.Workspaces)
	g.Scope.Projects = slices.Clone(g.Scope.Projects)
	return g
}

// Error is what is wrong with one grant of a list.
type Error struct {
	// Index is the grant's place in the list, from 0.
	Index int
	// Read is the prefix's place in the grant's list, from 0, or -1 when the
	// error is not about one prefix.
	Read int
	// Err says what is wrong.
	Err error
}

func (e *Error) Error() string { return fmt.Sprintf("grant %d: %v", e.Index+1, e.Err) }

// Unwrap gives Err.
func (e *Error) Unwrap() error { return e.Err }

// roleARN is IAM's grammar: names are of word characters and +=,.@-, paths
// have slashes. The comma is left out, as in package saml, because it
// separates the two ARNs of an assertion's pair.
var roleARN = regexp.MustCompile(`^arn:(aws[a-z0-9-]*):iam::([0-9]{12}):role/([A-Za-z0-9_+=.@-]+/)*[A-Za-z0-9_+=.@-]{1,64}$`)

// CheckRole says why a role cannot be granted anything, if so.
func CheckRole(arn string) error {
	if len(arn) > 2048 || !roleARN.MatchString(arn) {
		return errors.New("the role is not an exact role ARN: write arn:aws:iam::ACCOUNT:role/NAME, with the path if the role has one")
	}
	name := arn[strings.Index(arn, ":role/")+len(":role/"):]
	if strings.HasPrefix(name, "aws-reserved/") || strings.HasPrefix(name, "AWSReservedSSO_") {
		return errors.New("the role belongs to IAM Identity Center, and AWS lets nobody else assume it: make a normal role")
	}
	return nil
}

// partition is the second part of an ARN: aws, aws-cn, aws-us-gov, ...
func partition(arn string) string {
	return strings.SplitN(arn, ":", 3)[1]
}

// check reports what is wrong with a grant by itself.
func (g Grant) check(index int) []error {
	var problems []error
	if err := CheckRole(g.Role); err != nil {
		problems = append(problems, &Error{index, -1, err})
	}
	if err := g.Scope.Check(); err != nil {
		problems = append(problems, &Error{index, -1, err})
	}
	if len(g.Read) == 0 {
		problems = append(problems, &Error{index, -1, errors.New("it lets the role read nothing: give at least one prefix under read")})
	}
	for i, p := range g.Read {
		if parsed, err := ParsePrefix(p.String()); err != nil {
			problems = append(problems, &Error{index, i, fmt.Errorf("%s is no prefix: %w", p, err)})
		} else if parsed != p {
			problems = append(problems, &Error{index, i, fmt.Errorf("%s is no prefix: its bucket has a slash", p)})
		}
	}
	return problems
}
