package decision_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/grants"
	"github.com/rolepass/rolepass/labelstudio"
)

// deliversBy makes a world in which radiology's grant says how, or the
// deployment.
func deliversBy(t *testing.T, deployed, granted grants.Delivery) *world {
	t.Helper()
	w := newWorld(t)
	set, problems := grants.Compile([]grants.Grant{{Role: radiology, Read: prefixes(t, "s3://imaging/radiology/"), Scope: grants.Scope{Projects: []int64{12}}, Deliver: granted}}, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	w.Decider.Grants, w.Delivery = set, deployed
	return w
}

// An object goes the way that its grant says, or else the deployment; but
// nothing that a browser might run goes by redirect, and no part of an object.
func TestHowAnObjectIsDelivered(t *testing.T) {
	const route, redirect, header = grants.ByRoute, grants.ByRedirect, grants.ByHeader
	for _, c := range []struct {
		name              string
		deployed, granted grants.Delivery
		method, key, part string
		want              decision.Kind
	}{
		{"route is the default", grants.AsDeployed, grants.AsDeployed, "GET", "loop.webm", "", decision.Stream},
		{"redirect, by the deployment", redirect, grants.AsDeployed, "GET", "loop.webm", "", decision.Redirect},
		{"redirect, by the grant", route, redirect, "GET", "scan.svg", "", decision.Redirect},
		{"route, by the grant", redirect, route, "GET", "loop.webm", "", decision.Stream},
		{"a table", redirect, redirect, "GET", "beat.csv", "", decision.Redirect},
		{"a part of a film", redirect, redirect, "GET", "loop.webm", "bytes=0-", decision.Stream},
		{"no bytes at all", redirect, redirect, "HEAD", "loop.webm", "", decision.Stream},
		{"text, which can be a script", redirect, redirect, "GET", "note.txt", "", decision.Stream},
		{"a page", redirect, redirect, "GET", "page.html", "", decision.Stream},
		{"PDF", redirect, redirect, "GET", "paper.pdf", "", decision.Stream},
		{"JSON", redirect, redirect, "GET", "turns.json", "", decision.Stream},
		{"a kind that nobody knows", redirect, redirect, "GET", "lung", "", decision.Stream},
		{"a kind that no browser knows", redirect, redirect, "GET", "slice.dcm", "", decision.Stream},
		{"by a header that this deployment lacks", route, header, "GET", "loop.webm", "", decision.Refuse},
		{"a way that does not exist", 99, grants.AsDeployed, "GET", "loop.webm", "", decision.Refuse},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := deliversBy(t, c.deployed, c.granted)
			r := request(c.method, fetching("6", "s3://imaging/radiology/"+c.key), w.signedIn(radiology))
			r.Range = c.part
			got := w.Decide(t.Context(), r)
			if got.Kind != c.want || w.events[0].Kind != c.want {
				t.Fatalf("decided %v (%v), want %v", got.Kind, w.events[0].Refusal, c.want)
			}
			if (got.Signed.Target() != "") != (c.want != decision.Refuse) {
				t.Errorf("the signed location is %q", got.Signed.Target())
			}
		})
	}
}

// A redirect leads to the bucket for as long as the signature holds, and what
// S3 says there is under the signature: no cache keeps it, and it is of the
// kind that its name says.
func TestWhatARedirectCarries(t *testing.T) {
	w := deliversBy(t, grants.ByRedirect, grants.AsDeployed)
	got := w.Decide(t.Context(), request("GET", fetching("6", "s3://imaging/radiology/scan.svg"), w.signedIn(radiology)))
	at, err := url.Parse(got.Signed.URL())
	if err != nil || at.Host != "s3.eu-west-1.amazonaws.com" || at.Path != "/imaging/radiology/scan.svg" {
		t.Fatalf("it leads to %v, %v", at, err)
	}
	for name, want := range map[string]string{
		"response-cache-control": "private, no-store, max-age=0", "response-content-type": "image/svg+xml", "response-content-disposition": "attachment",
		"X-Amz-Expires": "60", "X-Amz-SignedHeaders": "host",
	} {
		if value := at.Query()[name]; !slices.Equal(value, []string{want}) {
			t.Errorf("%s is %q, want %q", name, value, want)
		}
	}
	if got.Header[0].Name != "cache-control" || got.Header[0].Value != "no-store" {
		t.Errorf("the redirect itself may be kept: %v", got.Header)
	}
}

// Where the deployment says so, what Envoy sends to S3 is signed in headers, and
// its path is the key alone.
func TestStreamsSignedByHeaders(t *testing.T) {
	w := deliversBy(t, grants.ByRoute, grants.AsDeployed)
	w.SignHeaders = true
	got := w.Decide(t.Context(), request("GET", fetching("6", "s3://imaging/radiology/loop.webm"), w.signedIn(radiology)))
	if got.Kind != decision.Stream || got.Signed.Target() != "" || got.Authorized.Target() != "/imaging/radiology/loop.webm" {
		t.Fatalf("decided %v: %q and %q", got.Kind, got.Signed.Target(), got.Authorized.Target())
	}
	if first := got.Authorized.Headers()[0]; first.Name != "authorization" || !strings.Contains(first.Value, "Credential=ASIAlogy/") {
		t.Errorf("it is not signed with the role's credentials: %v", first.Name)
	}
	w.Delivery = grants.ByRedirect // a browser can carry a signature in the address only
	if got := w.Decide(t.Context(), request("GET", fetching("6", "s3://imaging/radiology/loop.webm"), w.signedIn(radiology))); got.Kind != decision.Redirect || got.Signed.Target() == "" {
		t.Errorf("decided %v", got.Kind)
	}
}

// The location goes to the application in the header that the deployment names,
// with nothing of the browser's that says who asks; and no other request has
// that header.
func TestTheApplicationIsToldTheLocation(t *testing.T) {
	w := deliversBy(t, grants.ByHeader, grants.AsDeployed)
	set, problems := grants.Compile([]grants.Grant{{Role: radiology, Read: prefixes(t, "s3://imaging/radiology/"), Scope: grants.Scope{Anywhere: true}}}, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	w.Decider.Grants, w.LocationHeader, w.Bearer, w.Read, w.App = set, "x-where", nil, labelstudio.Read, nil
	r := request("GET", fetching("6", "s3://imaging/radiology/page.html"), w.signedIn(radiology))
	r.CookieLines[0] += "; theme=dark; sessionid=other"
	got := w.Decide(t.Context(), r)
	if got.Kind != decision.PassSigned || got.LocationHeader != "x-where" || got.Cookie != "theme=dark" || got.Authorization != "" || !strings.HasPrefix(got.Signed.Target(), "/imaging/radiology/page.html?") {
		t.Errorf("decided %v (%v): %q, %q", got.Kind, w.events[0].Refusal, got.LocationHeader, got.Cookie)
	}
	r.Target = "/"
	if got := w.Decide(t.Context(), r); got.Kind != decision.PassOwn || got.LocationHeader != "x-where" || got.Signed.Target() != "" {
		t.Errorf("another request: decided %v", got)
	}
}
