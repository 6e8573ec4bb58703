package samltest

import "time"

// Vector is a response that has to be refused, beside one that has to be
// accepted: the two differ in one change and in nothing else.
type Vector struct {
	// Name is unique: the family and what was done.
	Name string
	// After is what the vector is named after: an attack, an advisory, a rule
	// of a standard, or a setting that people get wrong.
	After string
	// Code is the reason for which package saml refuses it.
	Code string
	// Sibling makes a right response into the accepted one. Nil: it is the
	// right one itself.
	Sibling func(*Spec)
	// Change is the one mutation. Nil where Late or Nobody is it.
	Change func(*Spec)
	// Late is how much later than its sibling, which arrives at SiblingAt
	// after the moment of issue, the response arrives; negative: how much
	// earlier.
	Late      time.Duration
	SiblingAt time.Duration
	// Nobody: no login is pending that it could answer.
	Nobody bool
	// Decrypts: the service provider has the key [SceneDecryption].
	Decrypts bool
	// Anew: the login asked that the person prove again who they are.
	Anew bool
	// Contexts are the ways to authenticate of which the configuration wants
	// one. Empty: any will do.
	Contexts []string
	// AnyProvider: the configuration takes every provider that is one.
	AnyProvider bool
	// STS says why an STS, which knows of no login and no configuration of
	// ours, accepts the vector all the same. Empty: it refuses too.
	STS string
	// STSSibling says why an STS refuses even the sibling.
	STSSibling string
}

// Accepted is the vector's sibling and the moment at which it arrives.
func (v Vector) Accepted() (Spec, time.Time) {
	spec := Right()
	if v.Sibling != nil {
		v.Sibling(&spec)
	}
	return spec, SceneNow().Add(v.SiblingAt)
}

// Refused is the vector itself and the moment at which it arrives.
func (v Vector) Refused() (Spec, time.Time) {
	spec, at := v.Accepted()
	if v.Change != nil {
		v.Change(&spec)
	}
	return spec, at.Add(v.Late)
}

// Catalogue is every vector, by family.
func Catalogue() []Vector {
	var all []Vector
	for _, family := range []struct {
		name string
		list func() []Vector
	}{
		{"wrapping", wrappingVectors},
		{"reference", referenceVectors},
		{"algorithm", algorithmVectors},
		{"signature", signatureVectors},
		{"key", keyVectors},
		{"namespace", namespaceVectors},
		{"xml", xmlVectors},
		{"encoding", encodingVectors},
		{"shape", shapeVectors},
		{"id", idVectors},
		{"time", timeVectors},
		{"audience", audienceVectors},
		{"login", loginVectors},
		{"identity", identityVectors},
		{"role", roleVectors},
		{"encrypted", encryptedVectors},
	} {
		for _, v := range family.list() {
			v.Name = family.name + "/" + v.Name
			all = append(all, v)
		}
	}
	return all
}

// Signing makes the IdP say something odd and sign it. It may be used several
// times for one Spec.
func Signing(edits ...Edit) func(*Spec) {
	return func(s *Spec) { s.BeforeSigning = chain(s.BeforeSigning, edits) }
}

// Tampering changes the signed document on its way.
func Tampering(edits ...Edit) func(*Spec) {
	return func(s *Spec) { s.AfterSigning = chain(s.AfterSigning, edits) }
}

func chain(first Edit, more []Edit) Edit {
	if first != nil {
		more = append([]Edit{first}, more...)
	}
	return Edits(more...)
}

// all applies several changes of a Spec as one.
func all(changes ...func(*Spec)) func(*Spec) {
	return func(s *Spec) {
		for _, change := range changes {
			change(s)
		}
	}
}

func assertionSigned(s *Spec) { s.Sign = SignAssertion }
func responseSigned(s *Spec)  { s.Sign = SignResponse }
func fixedIDs(s *Spec)        { s.ResponseID, s.AssertionID = "_r", "_a" }

// bases are the three ways to sign, for attacks that depend on it.
var bases = []struct {
	name string
	sign func(*Spec)
}{
	{"assertion signed", assertionSigned},
	{"response signed", responseSigned},
	{"both signed", func(*Spec) {}},
}

// Places in a response, for edits.
const (
	atResponse     = "./Response"
	atStatus       = atResponse + "/Status"
	atAssertion    = atResponse + "/Assertion"
	atSubject      = atAssertion + "/Subject"
	atNameID       = atSubject + "/NameID"
	atConfirmation = atSubject + "/SubjectConfirmation"
	atData         = atConfirmation + "/SubjectConfirmationData"
	atConditions   = atAssertion + "/Conditions"
	atRestriction  = atConditions + "/AudienceRestriction"
	atAuthn        = atAssertion + "/AuthnStatement"
	atContext      = atAuthn + "/AuthnContext"
	atAttributes   = atAssertion + "/AttributeStatement"
	atRole         = atAttributes + "/Attribute[@Name='" + RoleAttribute + "']"
	atSessionName  = atAttributes + "/Attribute[@Name='" + SessionNameAttribute + "']"
	atSignature    = atAssertion + "/Signature"
	atInfo         = atSignature + "/SignedInfo"
	atReference    = atInfo + "/Reference"
)
