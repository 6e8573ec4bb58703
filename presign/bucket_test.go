package presign_test

import (
	"strings"
	"testing"

	"github.com/rolepass/rolepass/presign"
)

func TestAddressOfABucket(t *testing.T) {
	for _, c := range []struct{ name, region, endpoint, want string }{
		{"imaging", "eu-west-1", "", "https://s3.eu-west-1.amazonaws.com"},
		{"imaging", "us-east-1", "", "https://s3.us-east-1.amazonaws.com"},
		{"dotted.name", "ap-southeast-2", "", "https://s3.ap-southeast-2.amazonaws.com"},
		{"imaging", "cn-north-1", "", "https://s3.cn-north-1.amazonaws.com.cn"},
		{"imaging", "us-gov-west-1", "", "https://s3.us-gov-west-1.amazonaws.com"},
		{"imaging", "eusc-de-east-1", "", "https://s3.eusc-de-east-1.amazonaws.eu"},
		{"imaging", "us-east-1", "https://S3.Example.com", "https://s3.example.com"},
		{"imaging", "us-east-1", "https://s3.example.com:443/", "https://s3.example.com"},
		{"imaging", "garage", "https://s3.example.com:8443", "https://s3.example.com:8443"},
		{"imaging", "us-east-1", "http://127.0.0.1:9000", "http://127.0.0.1:9000"},
		{"imaging", "us-east-1", "http://localhost:80", "http://localhost"},
		{"imaging", "us-east-1", "http://[::1]:9000", "http://[::1]:9000"},
	} {
		b, err := presign.NewBucket(c.name, c.region, "aws", c.endpoint)
		if got := b.Scheme + "://" + b.Host; err != nil || got != c.want || b.Name != c.name || b.Region != c.region || b.STS != "aws" {
			t.Errorf("%+v: %s, %v", c, got, err)
		}
	}
}

func TestWhatIsNoBucket(t *testing.T) {
	for _, c := range []struct{ name, region, sts, endpoint string }{
		{"Imaging", "eu-west-1", "aws", ""}, {"", "eu-west-1", "aws", ""}, {"imaging", "eu-west-1", "", ""},
		{"imaging", "", "aws", ""}, {"imaging", "eu-west", "aws", ""}, {"imaging", "EU-WEST-1", "aws", ""}, {"imaging", "eu-west-1.evil.example", "aws", ""}, {"imaging", "aws-global", "aws", ""},
		{"imaging", "", "aws", "https://s3.example.com"}, {"imaging", "us east", "aws", "https://s3.example.com"}, {"imaging", "a/b", "aws", "https://s3.example.com"},
		{"imaging", "us-east-1", "aws", "http://s3.example.com"}, {"imaging", "us-east-1", "aws", "http://127.0.0.1.example.com"}, {"imaging", "us-east-1", "aws", "ftp://localhost"}, {"imaging", "us-east-1", "aws", "s3.example.com"},
		{"imaging", "us-east-1", "aws", "https://s3.example.com/path"}, {"imaging", "us-east-1", "aws", "https://user@s3.example.com"}, {"imaging", "us-east-1", "aws", "https://s3.example.com?x"}, {"imaging", "us-east-1", "aws", "https://s3.example.com/#x"},
		{"imaging", "us-east-1", "aws", "https://"}, {"imaging", "us-east-1", "aws", "https://s3.example.com:"}, {"imaging", "us-east-1", "aws", "https://s3.exämple.com"}, {"imaging", "us-east-1", "aws", "https://s3_x.example.com"}, {"imaging", "us-east-1", "aws", "https://s3.example.com\n"},
	} {
		if b, err := presign.NewBucket(c.name, c.region, c.sts, c.endpoint); err == nil || b != (presign.Bucket{}) || strings.Contains(err.Error(), "user@") {
			t.Errorf("%+v: %+v, %v", c, b, err)
		}
	}
}
