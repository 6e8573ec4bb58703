package server

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/rolepass/rolepass/config"
)

// A workload has the identity that its configuration names. Keys that are in the
// environment beside it are used where it names them, and nowhere else.
func TestAWorkloadHasTheIdentityThatIsNamed(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIALEFT")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "left")
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", gone.URL)
	for name, c := range map[string]struct {
		workload config.Workload
		key      string // empty: none
	}{
		"environment": {config.Workload{Credentials: config.FromEnvironment}, "AKIALEFT"},
		"instance":    {config.Workload{Credentials: config.FromInstance, InstanceMetadata: gone.URL}, ""},
		"container":   {config.Workload{Credentials: config.FromContainer}, ""},
	} {
		as, err := own(c.workload)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := as.Retrieve(t.Context()); got.AccessKeyID != c.key || (err == nil) != (c.key != "") {
			t.Errorf("%s: %q, %v", name, got.AccessKeyID, err)
		}
	}
	if as, err := own(config.Workload{WebIdentityTokenFile: "/token"}); err != nil || as != (aws.AnonymousCredentials{}) {
		t.Errorf("a web identity: %v, %v", as, err)
	}
	if as, err := own(config.Workload{Name: "ml"}); err == nil {
		t.Errorf("nothing is named, and there is %v", as)
	}
}
