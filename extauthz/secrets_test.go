package extauthz_test

import (
	"os"
	"testing"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/rolepass/rolepass/decision"
	"github.com/rolepass/rolepass/e2e/canary"
)

// secrets are those of all tests here, and TestMain looks for them in what Envoy
// would write into its access log, and in the answers that say no.
var secrets canary.Suite

func TestMain(m *testing.M) { os.Exit(secrets.After(m).Run()) }

// written keeps what a decision carries, and writes down what is not for Envoy
// alone of the answer to it.
func written(t *testing.T, d decision.Decision, out *authv3.CheckResponse) {
	t.Helper()
	secrets.KeepTarget(d.Signed.Target())
	for _, h := range out.GetOkResponse().GetHeaders() {
		if name := h.GetHeader().GetKey(); name == "authorization" || name == "x-amz-security-token" {
			secrets.KeepLong("a credential", h.GetHeader().GetValue())
		}
	}
	text, err := protojson.Marshal(out.GetDynamicMetadata())
	if err != nil {
		t.Fatal(err)
	}
	_, _ = secrets.Writer("the access log").Write(append(text, '\n'))
	_, _ = secrets.Writer("an answer that says no").Write([]byte(out.GetDeniedResponse().GetBody() + "\n" + out.GetStatus().String() + "\n"))
}
