package presign

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// awsRegion is the shape of AWS's regions, us-gov-west-1 and eusc-de-east-1
// included. The SDK's rules build a host for any word, so a slip of the pen
// must be caught before them.
var awsRegion = regexp.MustCompile(`^[a-z]{2,8}(-[a-z]{2,12}){1,3}-[0-9]{1,2}$`)

// anyRegion is what other S3 servers may call theirs.
var anyRegion = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$`)

// NewBucket makes the address of a bucket: its name, its region, the name of
// the token service whose credentials may sign for it, and its endpoint. An
// empty endpoint is AWS's own in that region, according to the endpoint rules
// of the S3 SDK; otherwise it is an https URL (http on loopback) of a scheme
// and a host. Addressing is path-style either way.
func NewBucket(name, region, sts, endpoint string) (Bucket, error) {
	if err := checkBucketName(name); err != nil {
		return Bucket{}, err
	}
	if sts == "" {
		return Bucket{}, errors.New("the bucket names no token service: say whose credentials may sign for it")
	}
	scheme, host, err := address(name, region, endpoint)
	if err != nil {
		return Bucket{}, err
	}
	return Bucket{Name: name, Region: region, STS: sts, Scheme: scheme, Host: host}, nil
}

func address(name, region, endpoint string) (scheme, host string, err error) {
	if endpoint == "" {
		return awsEndpoint(name, region)
	}
	if !anyRegion.MatchString(region) {
		return "", "", fmt.Errorf("the region %q is not one: give the name that the S3 server has for its region, often us-east-1", region)
	}
	return parseEndpoint(endpoint)
}

// awsEndpoint asks the SDK's rules, which know every partition.
func awsEndpoint(name, region string) (scheme, host string, err error) {
	if !awsRegion.MatchString(region) {
		return "", "", fmt.Errorf("the region %q is not one of AWS's: give a name such as eu-west-1, or the endpoint of another server", region)
	}
	found, err := s3.NewDefaultEndpointResolverV2().ResolveEndpoint(context.Background(), s3.EndpointParameters{
		Bucket:         aws.String(name),
		Region:         aws.String(region),
		ForcePathStyle: aws.Bool(true),
	})
	if err != nil {
		return "", "", fmt.Errorf("finding AWS's endpoint in region %q: %w", region, err)
	}
	if found.URI.Scheme != "https" || found.URI.Path != "/"+name {
		return "", "", fmt.Errorf("AWS has no path-style endpoint for this bucket in region %q", region)
	}
	return found.URI.Scheme, found.URI.Host, nil
}

// parseEndpoint reads SCHEME://HOST[:PORT]. The host is given back as it is
// signed and sent: in lower case, without the scheme's own port.
func parseEndpoint(endpoint string) (scheme, host string, err error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Hostname() == "" || u.Opaque != "" || strings.HasSuffix(u.Host, ":") {
		return "", "", errors.New("the endpoint is no address: give a scheme and a host, such as https://s3.example.com")
	}
	if u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return "", "", errors.New("the endpoint has more than a scheme and a host: leave out user, path, query and fragment")
	}
	host = strings.ToLower(u.Host)
	switch {
	case u.Scheme == "https":
		host = strings.TrimSuffix(host, ":443")
	case u.Scheme == "http" && isLoopback(strings.ToLower(u.Hostname())):
		host = strings.TrimSuffix(host, ":80")
	default:
		return "", "", errors.New("the endpoint is not https, and http is for loopback addresses only: use https")
	}
	if strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789.-:[]") != "" {
		return "", "", errors.New("the endpoint's host has characters that no host name has; write an international name in its xn-- form")
	}
	return u.Scheme, host, nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
