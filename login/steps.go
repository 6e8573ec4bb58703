package login

import "time"

// Step is a part of a login in which somebody else was waited for.
type Step struct {
	// Kind says who: StepSTS, for one role, or StepSignIn.
	Kind string
	// What is the role's ARN, for StepSTS.
	What string
	// Code says why it failed; empty: it did not.
	Code  string
	Start time.Time
	Took  time.Duration
}

const (
	// StepSTS takes the credentials of a role.
	StepSTS = "sts"
	// StepSignIn finds or makes the application's account.
	StepSignIn = "sign_in"
)

// step is what began some time ago and ends now.
func (s *Service) step(kind, what string, began time.Time, err error) Step {
	out := Step{Kind: kind, What: what, Start: began, Took: s.Now().Sub(began)}
	if err != nil {
		out.Code = reason(err)
	}
	return out
}

// stsSteps are the steps of the roles that STS was asked for.
func stsSteps(roles []*usable) (steps []Step) {
	for _, u := range roles {
		if u.step.Kind != "" {
			steps = append(steps, u.step)
		}
	}
	return steps
}

// after is a page that was come to by some steps.
func (p Page) after(steps []Step) Page {
	p.Steps = steps
	return p
}
