package login_test

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rolepass/rolepass/login"
	"github.com/rolepass/rolepass/saml"
)

// The page of a login says what it waited for: each role, and the account.
func TestTheStepsOfALogin(t *testing.T) {
	w := newWorld(t)
	w.sts = func(in *sts.AssumeRoleWithSAMLInput, _ *sts.AssumeRoleWithSAMLOutput) error {
		if *in.RoleArn == research {
			return errors.New("no answer")
		}
		w.passes(2 * time.Second)
		return nil
	}
	page := w.browser().signsIn()
	if page.Event != "login" || len(page.Steps) != 3 {
		t.Fatalf("%s with the steps %v", page.Event, page.Steps)
	}
	byWhat := map[string]login.Step{}
	for _, step := range page.Steps {
		byWhat[step.Kind+step.What] = step
	}
	took, failed, account := byWhat[login.StepSTS+radiology], byWhat[login.StepSTS+research], byWhat[login.StepSignIn]
	if took.Took != 2*time.Second || took.Code != "" {
		t.Errorf("the role that was taken: %v", took)
	}
	if failed.Code != "sts_unavailable" || account.Kind == "" || account.Code != "" {
		t.Errorf("the role that failed: %v; the account: %v", failed, account)
	}
}

// A login that fails says what failed.
func TestTheStepsOfALoginThatFails(t *testing.T) {
	w := newWorld(t)
	w.signIn = func(saml.Principal) (int64, error) { return 0, errors.New("no answer") }
	page := w.browser().signsIn()
	if len(page.Steps) != 3 || page.Steps[2].Code != string(login.CodeInternal) {
		t.Errorf("no account: the steps are %v", page.Steps)
	}
	w.sts = func(*sts.AssumeRoleWithSAMLInput, *sts.AssumeRoleWithSAMLOutput) error {
		return errors.New("no answer")
	}
	if page := w.browser().signsIn(); len(page.Steps) != 2 || page.Steps[0].Code != "sts_unavailable" {
		t.Errorf("no role: the steps are %v", page.Steps)
	}
}
