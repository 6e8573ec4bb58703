package credcache

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
)

// This file has the identities of the process's own with which a workload's role
// can be taken. The configuration names one of them: none of them looks for
// another where it finds nothing, as the SDK's default chain does, so that keys
// which somebody left in the environment are never used unasked. Each is asked
// anew when a role is taken; nothing is kept.

// Environment are the keys in AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for
// temporary ones, AWS_SESSION_TOKEN.
func Environment(getenv func(string) string) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		c := aws.Credentials{AccessKeyID: getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: getenv("AWS_SESSION_TOKEN"), Source: "environment"}
		if c.AccessKeyID == "" || c.SecretAccessKey == "" {
			return aws.Credentials{}, errors.New("credentials: environment, and AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set")
		}
		return c, nil
	})
}

// InstanceMetadata is where an EC2 instance finds its own credentials.
const InstanceMetadata = "http://169.254.169.254"

// Instance is the role of the instance's profile, from its metadata service.
// That is asked with a session token only (IMDSv2): where it gives none, it is
// not asked without, as a request that somebody made us send could be.
func Instance(endpoint string) aws.CredentialsProvider {
	client := imds.New(imds.Options{
		Endpoint: endpoint, ClientEnableState: imds.ClientEnabled, EnableFallback: aws.FalseTernary, HTTPClient: nearby(),
	})
	return ec2rolecreds.New(func(o *ec2rolecreds.Options) { o.Client = client })
}

// Addresses at which containers find their credentials (Amazon ECS; Amazon EKS
// Pod Identity), beside loopback.
var containerHosts = []netip.Addr{
	netip.MustParseAddr("169.254.170.2"), netip.MustParseAddr("169.254.170.23"), netip.MustParseAddr("fd00:ec2::23"),
}

// Container is the role of the container's task or pod, from the address that
// the platform put into AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI.
func Container(getenv func(string) string) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		endpoint, err := containerEndpoint(getenv)
		if err != nil {
			return aws.Credentials{}, fmt.Errorf("credentials: container: %w", err)
		}
		provider := endpointcreds.New(endpoint, func(o *endpointcreds.Options) {
			o.HTTPClient = nearby()
			o.AuthorizationTokenProvider = endpointcreds.TokenProviderFunc(func() (string, error) { return containerToken(getenv) })
		})
		return provider.Retrieve(ctx)
	})
}

// containerEndpoint is the address, if it is one to which a container's token
// may go: nobody else's in plaintext.
func containerEndpoint(getenv func(string) string) (string, error) {
	if relative := getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); relative != "" {
		if !strings.HasPrefix(relative, "/") {
			return "", errors.New("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is no path")
		}
		return "http://" + containerHosts[0].String() + relative, nil
	}
	full := getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI")
	if full == "" {
		return "", errors.New("neither AWS_CONTAINER_CREDENTIALS_FULL_URI nor AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is set: the platform gives this container no identity")
	}
	u, err := url.Parse(full)
	if err != nil || u.Host == "" || u.User != nil {
		return "", errors.New("AWS_CONTAINER_CREDENTIALS_FULL_URI is no address")
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if u.Scheme == "https" || u.Scheme == "http" && err == nil && (ip.IsLoopback() || slices.Contains(containerHosts, ip)) {
		return full, nil
	}
	return "", errors.New("AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor an address of the container's own platform")
}

// containerToken is what the platform's service is asked with; ECS wants none.
// The file's content changes.
func containerToken(getenv func(string) string) (string, error) {
	token := getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN")
	if file := getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("reading the container's authorization token: %w", err)
		}
		token = strings.TrimSpace(string(text))
	}
	return token, nil
}

// nearby asks a service of this machine's own: through no proxy, whatever the
// environment says, to nowhere else, and not for long.
func nearby() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       2 * time.Second,
	}
}
