package saml

import (
	"encoding/xml"
	"regexp"
	"slices"
	"strings"

	"github.com/rolepass/rolepass/refusal"
)

// shape refuses every response that is not exactly of the form that Rolepass
// reads. The rules that have a name of their own come first, so that their
// sentences are the ones that people see; the grammar closes the rest.
func shape(root *element) *refusal.Refusal {
	for _, rule := range []func(*element) *refusal.Refusal{
		isResponse,
		succeeded,
		notEncrypted,
		oneAssertion,
		signaturePlaces,
		knownNamespaces,
		grammar.follows,
		versions,
		confirmedAtOnce,
		ids,
		distinctAttributes,
		textRoles,
	} {
		if refused := rule(root); refused != nil {
			return refused
		}
	}
	return nil
}

func isResponse(root *element) *refusal.Refusal {
	if root.name != samlp("Response") {
		return malformed("saml_root", "The document is a %q, not a SAML 2.0 Response; check that the IdP posts its response to this address.", shown(root.name.Local))
	}
	return nil
}

const success = "urn:oasis:names:tc:SAML:2.0:status:Success"

// succeeded comes before everything about assertions, because a response that
// says no carries none.
func succeeded(root *element) *refusal.Refusal {
	status := root.child(samlp("Status"))
	var chain []string
	for code := status.child(samlp("StatusCode")); code != nil; code = code.child(samlp("StatusCode")) {
		chain = append(chain, strings.TrimPrefix(code.attr("Value"), "urn:oasis:names:tc:SAML:2.0:status:"))
	}
	if len(chain) > 0 && status.child(samlp("StatusCode")).attr("Value") == success {
		return nil
	}
	return forbidden("saml_status", "The IdP answered %q with the message %q to request %q; %s",
		shown(strings.Join(chain, "/")), shown(status.child(samlp("StatusMessage")).content()), shown(root.attr("InResponseTo")), statusAdvice(chain))
}

func statusAdvice(chain []string) string {
	switch {
	case slices.Contains(chain, "InvalidNameIDPolicy"):
		return "add a rule at the IdP that issues a persistent NameID for this application."
	case slices.Contains(chain, "AuthnFailed"):
		return "the sign-in itself failed."
	case slices.Contains(chain, "RequestDenied"):
		return "assign the person, or a direct group of theirs, to the application at the IdP."
	case slices.Contains(chain, "NoAuthnContext"):
		return "the IdP's policy for this application asks for an authentication that the person did not do."
	case slices.Contains(chain, "VersionMismatch"):
		return "the application at the IdP is not set to SAML 2.0."
	default:
		return "the reason stands in the IdP's own log, under that request and this moment."
	}
}

func notEncrypted(root *element) *refusal.Refusal {
	var found *element
	root.walk(func(e *element) bool {
		if strings.HasPrefix(e.name.Local, "Encrypted") {
			found = e
		}
		return found == nil
	})
	if found == nil {
		return nil
	}
	return forbidden("saml_encrypted",
		"The response contains %s. Rolepass passes the very same assertion on to STS, and neither has a key for it: switch assertion encryption off for this application (AD FS: EncryptClaims $false; Keycloak: Encrypt assertions OFF; Okta: Assertion Encryption Unencrypted), or give Rolepass decryption_key_file and IAM's provider the same key.",
		shown(found.name.Local))
}

// oneAssertion looks for the local name alone, wherever it stands: an
// assertion in a place or a namespace where we would not read it is one that
// somebody else might.
func oneAssertion(root *element) *refusal.Refusal {
	count, misplaced := 0, false
	root.walk(func(e *element) bool {
		if e.name.Local == "Assertion" {
			count++
			misplaced = misplaced || e.parent != root || e.name != saml("Assertion")
		}
		return true
	})
	switch {
	case count == 0:
		return forbidden("saml_no_assertion", "The response says Success and has no assertion; look at the application's settings at the IdP.")
	case count > 1 || misplaced:
		return forbidden("saml_assertion_count", "The response has %d assertions or one in an unusual place; exactly one is accepted, directly in the response. No IdP does this by itself: it is how signatures are wrapped.", count)
	}
	return nil
}

func knownNamespaces(root *element) *refusal.Refusal {
	var refused *refusal.Refusal
	root.walk(func(e *element) bool {
		switch e.name.Space {
		case protocolNS, assertionNS, signatureNS, excC14NNS:
		default:
			refused = malformed("saml_namespace", "The element %s is in the namespace %q, which is not one of SAML's.", shown(e.path()), shown(e.name.Space))
		}
		return refused == nil
	})
	return refused
}

func versions(root *element) *refusal.Refusal {
	for _, e := range []*element{root, root.child(saml("Assertion"))} {
		if version := e.attr("Version"); version != "2.0" {
			return malformed("saml_version", "%s is of version %q; set the application at the IdP to SAML 2.0.", e.path(), shown(version))
		}
	}
	return nil
}

// confirmedAtOnce refuses what SAML forbids for bearers (profiles §4.1.4.2)
// and gosaml2 does not look at.
func confirmedAtOnce(root *element) *refusal.Refusal {
	data := root.child(saml("Assertion"), saml("Subject"), saml("SubjectConfirmation"), saml("SubjectConfirmationData"))
	if _, present := data.lookup("NotBefore"); present {
		return malformed("saml_subject_confirmation", "%s has a NotBefore, which SAML forbids for a bearer.", data.path())
	}
	return nil
}

// id is an ID as XML allows it, without the colon.
var id = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9._-]{0,255}$`)

// ids refuses IDs that are not IDs, that occur twice, or that stand on
// elements where only a foreign reader would take them for one.
func ids(root *element) *refusal.Refusal {
	seen := map[string]bool{}
	var refused *refusal.Refusal
	root.walk(func(e *element) bool {
		refused = elementIDs(e, seen)
		return refused == nil
	})
	return refused
}

func elementIDs(e *element, seen map[string]bool) *refusal.Refusal {
	owner := e.name == samlp("Response") || e.name == saml("Assertion")
	for _, a := range e.attrs {
		if strings.ToLower(a.Name.Local) != "id" {
			continue
		}
		if !owner || a.Name != (xml.Name{Local: "ID"}) {
			return malformed("saml_id", "%s has an attribute %q; only Response and Assertion may have an ID.", shown(e.path()), shown(a.Name.Local))
		}
		if !id.MatchString(a.Value) {
			return malformed("saml_id", "%s has the ID %q, which is not an XML name of at most 256 characters.", e.path(), shown(a.Value))
		}
		if seen[a.Value] {
			return malformed("saml_duplicate_id", "The ID %q stands on two elements; a signature could be for either.", shown(a.Value))
		}
		seen[a.Value] = true
	}
	return nil
}

func distinctAttributes(root *element) *refusal.Refusal {
	seen := map[string]bool{}
	for _, a := range root.child(saml("Assertion"), saml("AttributeStatement")).all(saml("Attribute")) {
		name := a.attr("Name")
		if seen[name] {
			return forbidden("saml_duplicate_attribute",
				"The attribute %q occurs twice; readers differ about which one counts. Keycloak does this until Single Role Attribute is switched on in its role list mapper.", shown(name))
		}
		seen[name] = true
	}
	return nil
}

// textRoles refuses elements inside the values that AWS reads.
func textRoles(root *element) *refusal.Refusal {
	for _, a := range root.child(saml("Assertion"), saml("AttributeStatement")).all(saml("Attribute")) {
		if !strings.HasPrefix(a.attr("Name"), awsAttributes) {
			continue
		}
		for _, value := range a.children {
			if len(value.children) > 0 {
				return malformed("saml_attribute_value", "A value of %q holds elements; it must be text.", shown(a.attr("Name")))
			}
		}
	}
	return nil
}
