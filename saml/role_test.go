package saml_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rolepass/rolepass/saml"
)

// TestParseRole reads as policy: which values of the attribute Role are a
// role, and which are not.
func TestParseRole(t *testing.T) {
	const account = "arn:aws:iam::111122223333:"
	role := func(value, arn, provider string) {
		t.Helper()
		got, err := saml.ParseRole(value)
		if err != nil || got != (saml.Role{ARN: arn, Provider: provider}) {
			t.Errorf("%q: %+v, %v", value, got, err)
		}
	}
	notRole := func(value string) {
		t.Helper()
		if got, err := saml.ParseRole(value); err == nil || got != (saml.Role{}) {
			t.Errorf("%q was read as %+v", value, got)
		}
	}

	role(radiology+","+provider, radiology, provider)
	role(provider+","+radiology, radiology, provider)
	role(" "+radiology+" , "+provider+" ", radiology, provider)
	role(account+"role/a/b/c+=.@_-,"+provider, account+"role/a/b/c+=.@_-", provider)
	role("arn:aws-cn:iam::111122223333:role/a,arn:aws-cn:iam::111122223333:saml-provider/b", "arn:aws-cn:iam::111122223333:role/a", "arn:aws-cn:iam::111122223333:saml-provider/b")
	role("arn:aws-us-gov:iam::111122223333:role/a,arn:aws-us-gov:iam::111122223333:saml-provider/b", "arn:aws-us-gov:iam::111122223333:role/a", "arn:aws-us-gov:iam::111122223333:saml-provider/b")

	notRole("")
	notRole(",")
	notRole(radiology)
	notRole(provider)
	notRole(radiology + "," + radiology)
	notRole(provider + "," + provider)
	notRole(radiology + "," + provider + ",")
	notRole(radiology + ";" + provider)
	notRole(radiology + " " + provider)
	notRole(radiology + "," + provider + "," + research + "," + provider)
	notRole(radiology + ",\n" + provider)
	notRole(radiology + "\n," + provider)
	notRole(radiology + ",\t" + provider)
	notRole(radiology + ",\u00a0" + provider)
	notRole(radiology + "\x00," + provider)
	notRole(account + "role/*," + provider)
	notRole(account + "role/rad?ology," + provider)
	notRole(account + "role/${aws:username}," + provider)
	notRole(account + "role/," + provider)
	notRole(account + "role//a," + provider)
	notRole(account + "role/a//b," + provider)
	notRole(account + "role/a/," + provider)
	notRole(account + "role/räume," + provider)
	notRole(radiology + "," + account + "saml-provider/a/b")
	notRole(radiology + "," + account + "saml-provider/*")
	notRole(radiology + "," + account + "oidc-provider/corp")
	notRole(account + "user/ada," + provider)
	notRole(account + "root," + provider)
	notRole("arn:aws:sts::111122223333:assumed-role/a/b," + provider)
	notRole("arn:aws:iam::111122223334:role/a," + provider)
	notRole("arn:aws-cn:iam::111122223333:role/a," + provider)
	notRole("arn:aws:iam::11112222333:role/a,arn:aws:iam::11112222333:saml-provider/corp")
	notRole("arn:aws:iam:eu-west-1:111122223333:role/a," + provider)
	notRole("arn:AWS:iam::111122223333:role/a," + provider)
	notRole("ARN:aws:iam::111122223333:role/a," + provider)
	notRole("arn:minio:iam::111122223333:role/a,arn:minio:iam::111122223333:saml-provider/b")
	notRole(account + "role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123," + provider)
	notRole(account + "role/AWSReservedSSO_Admin_0123," + provider)
	notRole("offline_access")
	notRole(account + "role/" + strings.Repeat("a", 2048) + "," + provider)
}

// TestParsedRolesAreExact: whatever is read, it is two ARNs that the value
// contains as they are, of one account.
func TestParsedRolesAreExact(t *testing.T) {
	part := rapid.StringMatching(`[ ,]?(arn:(aws|aws-cn|x):iam::(111122223333|1):(role|saml-provider)/[a-z*/,\n ]{0,6})?[ ,]?`)
	rapid.Check(t, func(t *rapid.T) {
		value := part.Draw(t, "first") + rapid.SampledFrom([]string{",", "", ", "}).Draw(t, "comma") + part.Draw(t, "second")
		role, err := saml.ParseRole(value)
		if err != nil {
			return
		}
		account := strings.SplitAfter(role.ARN, ":role/")[0]
		if !strings.Contains(value, role.ARN) || !strings.Contains(value, role.Provider) ||
			strings.TrimSuffix(account, "role/") != strings.TrimSuffix(strings.SplitAfter(role.Provider, ":saml-provider/")[0], "saml-provider/") ||
			strings.ContainsAny(role.ARN+role.Provider, "*, \n") {
			t.Fatalf("%q was read as %+v", value, role)
		}
	})
}
