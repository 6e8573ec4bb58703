package presign_test

import (
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/presign"
)

// TestSameSignatureAsBotocore compares with what botocore signed
// (testdata/botocore_vectors.py). botocore leaves the parameters in another
// order, which no signature depends on.
func TestSameSignatureAsBotocore(t *testing.T) {
	text, err := os.ReadFile("testdata/botocore.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Time      time.Time
		AccessKey string `json:"access_key"`
		SecretKey string `json:"secret_key"`
		Vectors   []struct {
			Method, Bucket, Region, Endpoint, Token, Key, URL string
			Expires                                           int64
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Vectors) != 80 {
		t.Fatalf("there are %d vectors, want 80", len(file.Vectors))
	}
	for _, v := range file.Vectors {
		b, l := mustBucket(t, v.Bucket, v.Region, v.Endpoint), location(t, "s3://"+v.Bucket+"/"+v.Key)
		c := &presign.Credentials{AccessKeyID: file.AccessKey, SecretAccessKey: presign.Secret(file.SecretKey), SessionToken: presign.Secret(v.Token), Expires: file.Time.Add(time.Hour), STS: "aws"}
		s := at(file.Time)
		s.Expires = time.Duration(v.Expires) * time.Second
		got, gotQuery, _ := strings.Cut(mustSign(t, s, v.Method, b, l, c).URL(), "?")
		want, wantQuery, _ := strings.Cut(v.URL, "?")
		if got != want || canonical(t, gotQuery) != canonical(t, wantQuery) {
			t.Errorf("%s %s:\n got %s?%s\nwant %s", v.Method, l.URI(), got, gotQuery, v.URL)
		}
	}
}

// canonical sorts the parameters of a query.
func canonical(t *testing.T, query string) string {
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return values.Encode()
}

func location(t require, uri string) presign.Location {
	t.Helper()
	l, err := presign.ParseLocation(uri)
	if err != nil {
		t.Fatalf("%s: %v", uri, err)
	}
	return l
}
