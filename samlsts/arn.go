package samlsts

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// iamARN is an IAM ARN of a role or a SAML provider, taken apart.
type iamARN struct {
	partition, account string
	kind               string // role, saml-provider
	name               string // with its path
}

// Characters as in the IAM API reference, CreateRole (Path, RoleName) and
// CreateSAMLProvider (Name).
var (
	iamPattern      = regexp.MustCompile(`^arn:(aws[a-z-]*):iam::([0-9]{12}):(role|saml-provider)/(.+)$`)
	rolePattern     = regexp.MustCompile(`^([!-.0-~]+/)*[A-Za-z0-9_+=.@-]{1,64}$`)
	providerPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)
)

// parseARN reads an ARN strictly; a comma cannot be in it, because it
// separates the two ARNs of a Role value.
func parseARN(text string) (iamARN, error) {
	m := iamPattern.FindStringSubmatch(text)
	if len(text) > 2048 || m == nil || strings.Contains(text, ",") {
		return iamARN{}, errors.New("it is not an ARN like arn:aws:iam::111122223333:role/NAME or arn:aws:iam::111122223333:saml-provider/NAME")
	}
	a := iamARN{partition: m[1], account: m[2], kind: m[3], name: m[4]}
	pattern := rolePattern
	if a.kind == "saml-provider" {
		pattern = providerPattern
	}
	if !pattern.MatchString(a.name) {
		return iamARN{}, fmt.Errorf("%q is not the name of a %s", a.name, a.kind)
	}
	return a, nil
}

// sameAccount reports whether two ARNs are of one account and partition.
func (a iamARN) sameAccount(b iamARN) bool {
	return a.partition == b.partition && a.account == b.account
}

// session is the ARN of a role session: STS leaves the role's path out.
func (a iamARN) session(name string) string {
	role := a.name[strings.LastIndexByte(a.name, '/')+1:]
	return "arn:" + a.partition + ":sts::" + a.account + ":assumed-role/" + role + "/" + name
}

// rolePair is one value of the attribute Role.
type rolePair struct{ role, provider string }

// parseRolePair reads a role ARN and a provider ARN of one account, in either
// order, with a comma between them. Blanks around an ARN are dropped.
func parseRolePair(value string) (rolePair, bool) {
	left, right, found := strings.Cut(value, ",")
	if !found {
		return rolePair{}, false
	}
	left, right = strings.Trim(left, " "), strings.Trim(right, " ")
	a, errA := parseARN(left)
	b, errB := parseARN(right)
	if errA != nil || errB != nil || !a.sameAccount(b) {
		return rolePair{}, false
	}
	switch {
	case a.kind == "role" && b.kind == "saml-provider":
		return rolePair{role: left, provider: right}, true
	case a.kind == "saml-provider" && b.kind == "role":
		return rolePair{role: right, provider: left}, true
	}
	return rolePair{}, false
}
