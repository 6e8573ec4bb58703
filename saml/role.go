package saml

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// AWS's attributes, with their exact names (IAM user guide, "Configure SAML
// assertions for the authentication response").
const (
	awsAttributes        = "https://aws.amazon.com/SAML/Attributes/"
	roleAttribute        = awsAttributes + "Role"
	sessionNameAttribute = awsAttributes + "RoleSessionName"
)

// maxRoleValue is longer than the two longest ARNs together.
const maxRoleValue = 2048

// arn is an IAM ARN: partition, account, kind and the name with its path.
// Names are those of IAM's reference: word characters and +=,.@- without the
// comma, which separates the two ARNs here.
var arn = regexp.MustCompile(`^arn:(aws[a-z0-9-]*):iam::([0-9]{12}):(role|saml-provider)/([A-Za-z0-9_+=.@/-]+)$`)

// ParseRole reads one value of the attribute Role: a role ARN and the ARN of
// a SAML provider, separated by one comma, in either order, of one account
// and partition. Spaces around an ARN are forgiven, because IdPs' forms are
// filled by hand. The error says what is odd about the value.
func ParseRole(value string) (Role, error) {
	if len(value) > maxRoleValue {
		return Role{}, fmt.Errorf("it has %d characters, more than two ARNs can have", len(value))
	}
	switch strings.Count(value, ",") {
	case 1:
	case 0:
		return Role{}, errors.New("it is not a role ARN and a provider ARN with a comma between them")
	default:
		return Role{}, errors.New("it has several commas; send each pair as an AttributeValue of its own")
	}
	first, second, _ := strings.Cut(value, ",")
	return pair(strings.Trim(first, " "), strings.Trim(second, " "))
}

func pair(first, second string) (Role, error) {
	a, b := arn.FindStringSubmatch(first), arn.FindStringSubmatch(second)
	switch {
	case a == nil || b == nil:
		return Role{}, errors.New("it is not a pair of exact ARNs, arn:aws:iam::ACCOUNT:role/NAME and arn:aws:iam::ACCOUNT:saml-provider/NAME")
	case a[3] == b[3]:
		return Role{}, fmt.Errorf("both ARNs are of a %s; one must be the role, the other the SAML provider", a[3])
	case a[3] == "saml-provider":
		a, b = b, a
	}
	switch {
	case a[1] != b[1] || a[2] != b[2]:
		return Role{}, errors.New("role and provider are of different accounts or partitions; AWS takes them from one account only")
	case strings.Contains(b[4], "/") || strings.Contains(a[4], "//") || strings.HasPrefix(a[4], "/") || strings.HasSuffix(a[4], "/"):
		return Role{}, errors.New("a name in it has an empty part or a path where there is none")
	case strings.HasPrefix(a[4], "aws-reserved/") || strings.HasPrefix(a[4], "AWSReservedSSO_"):
		return Role{}, errors.New("the role belongs to IAM Identity Center, and AWS lets nobody else assume it; make a normal role")
	}
	return Role{ARN: a[0], Provider: b[0]}, nil
}
