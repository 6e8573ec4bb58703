package samltest

import "time"

// The scene in which every [Vector] plays: one IdP, one service provider, one
// login that is under way, at one moment. A verifier that is to be tried with
// the catalogue is set up for it.
const (
	SceneEntityID = "https://idp.example.com/saml"
	SceneSSO      = "https://idp.example.com/sso"
	SceneACS      = "https://label.example.com/rolepass/saml/acs"
	SceneSLO      = "https://label.example.com/rolepass/saml/slo"
	// SceneSP is the service provider's own name, an audience beside AWS's.
	SceneSP      = "https://label.example.com/rolepass"
	SceneRequest = "id-0123456789abcdef"

	SceneRole      = "arn:aws:iam::111122223333:role/radiology"
	SceneOtherRole = "arn:aws:iam::111122223333:role/team/research"
	SceneProvider  = "arn:aws:iam::111122223333:saml-provider/corp"
)

// SceneNow is the moment at which the scene's IdP issues its responses.
func SceneNow() time.Time { return time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC) }

// Scene is the IdP of the scene.
func Scene() (*IdP, error) {
	return New(Options{EntityID: SceneEntityID, SSOURL: SceneSSO, Now: SceneNow})
}

// Right is a response of the scene in which nothing is wrong.
func Right() Spec {
	return Spec{ACS: SceneACS, InResponseTo: SceneRequest, Roles: []string{SceneRole + "," + SceneProvider}}
}

// RightLogout is a logout request of the scene in which nothing is wrong.
func RightLogout() Logout {
	return Logout{Destination: SceneSLO, NameID: "4711", NameIDFormat: Persistent, Sessions: []string{"s1"}}
}
