package presign_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolepass/rolepass/presign"
)

func TestWhatIsNeverSigned(t *testing.T) {
	b, l := mustBucket(t, "imaging", "eu-west-1", ""), location(t, "s3://imaging/a.png")
	other := b
	other.STS = "another"
	for _, c := range []struct {
		what   string
		method string
		bucket presign.Bucket
		key    presign.Location
		change func(*presign.Credentials)
		want   error
	}{
		{"writing", "PUT", b, l, nil, presign.ErrMethod},
		{"posting", "POST", b, l, nil, presign.ErrMethod},
		{"deleting", "DELETE", b, l, nil, presign.ErrMethod},
		{"an odd method", "get", b, l, nil, presign.ErrMethod},
		{"a method with a line break", "GET\n", b, l, nil, presign.ErrMethod},
		{"no method", "", b, l, nil, presign.ErrMethod},
		{"another bucket", "GET", b, presign.Location{Bucket: "payroll", Key: "a.png"}, nil, presign.ErrBucket},
		{"no bucket", "GET", presign.Bucket{}, presign.Location{Key: "a"}, nil, presign.ErrBucket},
		{"no key", "GET", b, presign.Location{Bucket: "imaging"}, nil, presign.ErrLocation},
		{"a key nobody parsed", "GET", b, presign.Location{Bucket: "imaging", Key: "../payroll/a"}, nil, presign.ErrLocation},
		{"another token service's bucket", "GET", other, l, nil, presign.ErrIssuer},
		{"credentials of nobody", "GET", b, l, func(c *presign.Credentials) { c.STS = "" }, presign.ErrIssuer},
		{"no access key", "GET", b, l, func(c *presign.Credentials) { c.AccessKeyID = "" }, presign.ErrIncomplete},
		{"no secret", "GET", b, l, func(c *presign.Credentials) { c.SecretAccessKey = "" }, presign.ErrIncomplete},
		{"expired", "GET", b, l, func(c *presign.Credentials) { c.Expires = noon.Add(-time.Second) }, presign.ErrExpired},
		{"about to expire", "GET", b, l, func(c *presign.Credentials) { c.Expires = noon.Add(30*time.Second - 1) }, presign.ErrExpired},
		{"no expiry", "GET", b, l, func(c *presign.Credentials) { c.Expires = time.Time{} }, presign.ErrExpired},
	} {
		with := credentials("token")
		if c.change != nil {
			c.change(with)
		}
		signed, err := at(noon).Presign(c.method, c.bucket, c.key, with)
		if !errors.Is(err, c.want) || signed != (presign.Presigned{}) {
			t.Errorf("%s: %v, want %v", c.what, err, c.want)
		}
	}
	if _, err := at(noon).Presign("GET", b, l, nil); !errors.Is(err, presign.ErrIncomplete) {
		t.Errorf("no credentials: %v", err)
	}
}

// TestNothingOutlivesItsCredentials: the end that S3 computes, X-Amz-Date and
// X-Amz-Expires, is never behind that of the credentials, nor behind what is
// configured.
func TestNothingOutlivesItsCredentials(t *testing.T) {
	for _, c := range []struct {
		configured, left time.Duration
		want             string
	}{
		{0, time.Hour, "60"},
		{15 * time.Second, time.Hour, "15"},
		{time.Hour, 45 * time.Second, "45"},
		{time.Hour, 45*time.Second + 999*time.Millisecond, "45"},
		{time.Minute, 30 * time.Second, "30"},
		{30 * 24 * time.Hour, 60 * 24 * time.Hour, "604800"},
	} {
		with := credentials("token")
		with.Expires = noon.Add(c.left)
		s := at(noon)
		s.Expires = c.configured
		signed := mustSign(t, s, "GET", mustBucket(t, "imaging", "eu-west-1", ""), location(t, "s3://imaging/a"), with)
		u, err := url.Parse(signed.URL())
		if err != nil {
			t.Fatal(err)
		}
		if got := u.Query().Get("X-Amz-Expires"); got != c.want {
			t.Errorf("configured %s, credentials for %s: good for %s s, want %s", c.configured, c.left, got, c.want)
		}
	}
}

func TestNoParameterBeyondTheSignature(t *testing.T) {
	signed := mustSign(t, at(noon), "GET", mustBucket(t, "imaging", "eu-west-1", ""), location(t, "s3://imaging/a&response-content-type=text%2Fhtml"), credentials("to+ken="))
	_, query, _ := strings.Cut(signed.Target(), "?")
	var names []string
	for _, parameter := range strings.Split(query, "&") {
		name, _, _ := strings.Cut(parameter, "=")
		names = append(names, name)
	}
	if got, want := strings.Join(names, " "), "X-Amz-Algorithm X-Amz-Credential X-Amz-Date X-Amz-Expires X-Amz-Security-Token X-Amz-SignedHeaders X-Amz-Signature"; got != want {
		t.Errorf("the parameters are %s, want %s", got, want)
	}
	if !strings.HasPrefix(signed.Target(), "/imaging/a%26response-content-type%3Dtext%252Fhtml?") || signed.URL() != "https://s3.eu-west-1.amazonaws.com"+signed.Target() {
		t.Errorf("the URL is %s", signed.URL())
	}
}

// TestEveryDayAndRegionHasItsKey signs with one credential in all orders of
// days and regions, as the kept keys could mix them up.
func TestEveryDayAndRegionHasItsKey(t *testing.T) {
	c, l := credentials("token"), location(t, "s3://imaging/a")
	c.Expires = noon.Add(30 * 24 * time.Hour)
	for _, day := range []int{0, 1, 0, 2, 1, 1, 0} {
		for _, region := range []string{"eu-west-1", "us-east-1", "eu-west-1", "eu-west-2"} {
			now := noon.Add(time.Duration(day) * 24 * time.Hour)
			b := mustBucket(t, "imaging", region, "https://s3.example.com")
			if got, want := mustSign(t, at(now), "GET", b, l, c).URL(), oracle(t, "GET", b, l, c, 60, now); got != want {
				t.Errorf("day %d, %s: got %s, want %s", day, region, got, want)
			}
		}
	}
}

// TestManySignAtOnce is for the race detector, and compares as well.
func TestManySignAtOnce(t *testing.T) {
	c, l := credentials("token"), location(t, "s3://imaging/a")
	var regions []presign.Bucket
	var want []string
	for _, region := range []string{"eu-west-1", "us-east-1", "eu-central-1"} {
		b := mustBucket(t, "imaging", region, "")
		regions, want = append(regions, b), append(want, oracle(t, "GET", b, l, c, 60, noon))
	}
	var all sync.WaitGroup
	for g := range 16 {
		all.Go(func() {
			for i := range 50 {
				n := (g + i) % len(regions)
				signed, err := at(noon).Presign("GET", regions[n], l, c)
				if err != nil || signed.URL() != want[n] {
					t.Errorf("%s: %v", regions[n].Region, err)
				}
			}
		})
	}
	all.Wait()
}

func TestCredentialsAndSignedLocationsShowNothing(t *testing.T) {
	c := credentials("SESSIONTOKEN")
	signed := mustSign(t, at(noon), "GET", mustBucket(t, "imaging", "eu-west-1", ""), location(t, "s3://imaging/patient.png"), c)
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "credentials", c, "signed", signed, "all", []any{c, signed, &signed})
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "credentials", c, "signed", signed, "secret", c.SecretAccessKey)
	inJSON, err := json.Marshal([]any{c, signed, &signed, c.SessionToken})
	if err != nil {
		t.Fatal(err)
	}
	shown := log.String() + string(inJSON)
	for _, v := range []any{c, signed, &signed, []any{c, signed}, struct{ C *presign.Credentials }{c}, c.SecretAccessKey} {
		shown += fmt.Sprintf("%v %+v %#v %s %q\n", v, v, v, v, v)
	}
	for _, secret := range []string{"SESSIONTOKEN", "wJalrXUtnFEMI", "X-Amz-Signature", "patient.png"} {
		if strings.Contains(shown, secret) {
			t.Errorf("%s is in %s", secret, shown)
		}
	}
}
