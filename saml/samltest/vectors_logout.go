package samltest

import (
	"time"

	"github.com/beevik/etree"
)

func logoutSigning(edit Edit) func(*Logout) { return func(l *Logout) { l.BeforeSigning = edit } }

// answering makes a right request the answer to one of ours.
func answering(l *Logout) {
	*l = Logout{Answer: true, Destination: l.Destination, InResponseTo: "id-ours"}
}

const (
	atLogout       = "./LogoutRequest"
	atLogoutAnswer = "./LogoutResponse"
)

// logoutMessageVectors say something that is not for us, not now, or about
// nobody. The right key signed it.
func logoutMessageVectors() []LogoutVector {
	const (
		time5 = "SAML core §3.7.3.2: an old request that ends a new session"
		other = "SAML core §3.2.1: Destination; a message for another service"
	)
	issued := func(d time.Duration) func(*Logout) {
		return func(l *Logout) { l.IssueInstant = SceneNow().Add(d) }
	}
	over := func(d time.Duration) func(*Logout) {
		return func(l *Logout) { l.NotOnOrAfter = SceneNow().Add(d) }
	}
	stranger := func(l *Logout) { l.Sign.Key = strangerKey() }
	return []LogoutVector{
		{Name: "not signed", After: "GO-2026-4764 (gosaml2): an unsigned LogoutRequest", Code: "saml_unsigned", Change: func(l *Logout) { l.Unsigned = true }},
		{Name: "SHA-1", After: "SHA-1 and older: chosen-prefix collisions", Code: "saml_algorithm", Change: func(l *Logout) { l.Sign.Method, l.Sign.Digest = RSASHA1, SHA1 }},
		{Name: "another's issuer", After: "An IdP that speaks for another", Code: "saml_logout_issuer", Change: func(l *Logout) { l.Issuer = "https://evil.example.com" }},
		{Name: "an issuer of nothing", After: "GO-2026-6909 (crewjam/saml): no Issuer", Code: "saml_logout_issuer", Change: logoutSigning(SetText(atLogout+"/Issuer", ""))},
		{Name: "a slash more in its destination", After: other, Code: "saml_destination", Change: func(l *Logout) { l.Destination += "/" }},
		{Name: "for the ACS", After: other, Code: "saml_destination", Change: func(l *Logout) { l.Destination = SceneACS }},
		{Name: "six minutes old", After: time5, Code: "saml_issue_instant", Sibling: issued(-6*time.Minute + ms), Change: issued(-6 * time.Minute)},
		{Name: "60.001 s ahead", After: "threats facts P3: clocks that differ by more than the skew", Code: "saml_issue_instant", Sibling: issued(time.Minute), Change: issued(time.Minute + ms)},
		{Name: "over for 60 s", After: "SAML core §3.7.1: NotOnOrAfter", Code: "saml_issue_instant", Sibling: over(-time.Minute + ms), Change: over(-time.Minute)},
		{Name: "about nobody", After: "A NameID of nothing, which is everybody for some", Code: "saml_name_id", Change: logoutSigning(SetText(atLogout+"/NameID", ""))},
		{Name: "a session of no name", After: "A SessionIndex of nothing, which is every session for some", Code: "saml_name_id", Change: func(l *Logout) { l.Sessions = []string{"s1", ""} }},
		{Name: "version 1.1", After: "CVE-2022-39299 family: a version that is not read", Code: "saml_version", Change: logoutSigning(SetAttr(atLogout, "Version", "1.1"))},
		{Name: "an instant that is none", After: "SAML core §1.3.3: xs:dateTime in UTC", Code: "saml_time", Change: logoutSigning(SetAttr(atLogout, "IssueInstant", "noon"))},
		{Name: "an end of 1960", After: "SAML core §1.3.3: xs:dateTime in UTC", Code: "saml_time", Change: logoutSigning(SetAttr(atLogout, "NotOnOrAfter", "1960-01-01T00:00:00Z"))},
		{Name: "the metadata is over", After: "SAML metadata §2.3.2: validUntil", Code: "saml_metadata_expired", MetadataEnds: true},
		{Name: "another document", After: "SAML core §3.5: any signed message of the IdP's", Code: "saml_root", Change: logoutSigning(Rename(atLogout, "ArtifactResolve"))},
		{Name: "a stranger's key without its certificate", After: "CVE-2023-48703 (go-saml): the key in KeyInfo believed", Code: "saml_signature", Sibling: func(l *Logout) { l.Sign.WithoutKeyInfo = true }, Change: stranger},
		{Name: "a document type", After: "XXE (CWE-611)", Code: "saml_doctype", Change: logoutSigning(func(d *etree.Document) { d.InsertChildAt(0, etree.NewDirective("DOCTYPE r")) })},
		{Name: "a comment in the NameID", After: "CVE-2017-11427 and its family (Duo, 2018)", Code: "saml_comment", Change: logoutSigning(func(d *etree.Document) { find(d, atLogout+"/NameID").CreateComment("x") })},
	}
}

// logoutShapeVectors have an element or an attribute too many, or too few. The
// right key signed it.
func logoutShapeVectors() []LogoutVector {
	const (
		twice = "threats facts §2.4: duplicates, last wins for some"
		grant = "An element or attribute that readers take for granted"
		ids   = "Attribute pollution (\"The Fragile Lock\", 2025): ID, Id and id"
	)
	list := []LogoutVector{
		{Name: "two people", After: twice, Code: "saml_name_id", Change: logoutSigning(Duplicate(atLogout+"/NameID", func(e *etree.Element) { e.SetText(Attacker) }))},
		{Name: "one person twice", After: twice, Code: "saml_name_id", Change: logoutSigning(Duplicate(atLogout+"/NameID", nil))},
		{Name: "nobody", After: grant, Code: "saml_name_id", Change: logoutSigning(Remove(atLogout + "/NameID"))},
		{Name: "65 sessions", After: "A bomb of values", Code: "saml_structure", Sibling: sessions(64), Change: sessions(65)},
		{Name: "a NameID's id", After: ids, Code: "saml_id", Change: logoutSigning(SetAttr(atLogout+"/NameID", "id", "x"))},
		{Name: "a NameID's ID", After: ids, Code: "saml_id", Change: logoutSigning(SetAttr(atLogout+"/NameID", "ID", "x"))},
		{Name: "Id besides the ID", After: ids, Code: "saml_id", Change: logoutSigning(SetAttr(atLogout, "Id", "x"))},
		{Name: "an ID that is a number", After: "XML 1.0: an ID is a name", Code: "saml_id", Change: func(l *Logout) { l.ID = "4711" }},
		{Name: "an encrypted NameID", After: "SAML core §3.7.1: EncryptedID", Code: "saml_encrypted", Change: logoutSigning(Insert(atLogout, `<saml:EncryptedID/>`))},
		{Name: "Extensions", After: "SAML core, cut to what is read", Code: "saml_structure", Change: logoutSigning(Insert(atLogout, `<samlp:Extensions/>`))},
		{Name: "an element of another namespace", After: "Namespace confusion (\"The Fragile Lock\", 2025)", Code: "saml_namespace", Change: logoutSigning(Insert(atLogout, `<e:NameID xmlns:e="urn:evil"/>`))},
		{Name: "an element in the session", After: "CVE-2025-54419 (node-saml): nested text", Code: "saml_structure", Change: logoutSigning(Insert(atLogout+"/SessionIndex", `<saml:NameID>x</saml:NameID>`))},
		{Name: "an assertion in it", After: "XSW7 without a forgery", Code: "saml_structure", Change: logoutSigning(Insert(atLogout, `<saml:Assertion/>`))},
		{Name: "a request that calls itself an answer", After: "A message read as another kind", Code: "saml_structure", Change: logoutSigning(Rename(atLogout, "LogoutResponse"))},
		{Name: "an answer without its status", After: grant, Code: "saml_status", Sibling: answering, Change: logoutSigning(Remove(atLogoutAnswer + "/Status"))},
		{Name: "an answer of two statuses", After: twice, Code: "saml_status", Sibling: answering, Change: logoutSigning(Duplicate(atLogoutAnswer+"/Status", nil))},
		{Name: "an answer without its status code", After: grant, Code: "saml_status", Sibling: answering, Change: logoutSigning(Remove(atLogoutAnswer + "/Status/StatusCode"))},
	}
	for _, of := range []struct {
		name, path string
		sibling    func(*Logout)
	}{{"a request", atLogout, nil}, {"an answer", atLogoutAnswer, answering}} {
		list = append(list,
			LogoutVector{Name: of.name + " of two issuers", After: twice, Code: "saml_issuer", Sibling: of.sibling, Change: logoutSigning(Duplicate(of.path+"/Issuer", nil))},
			LogoutVector{Name: of.name + " without an issuer", After: grant, Code: "saml_issuer", Sibling: of.sibling, Change: logoutSigning(Remove(of.path + "/Issuer"))},
		)
		for _, attribute := range []string{"ID", "Version", "IssueInstant", "Destination"} {
			list = append(list, LogoutVector{Name: of.name + " without " + attribute, After: grant, Code: "saml_structure", Sibling: of.sibling, Change: logoutSigning(RemoveAttr(of.path, attribute))})
		}
	}
	return list
}

func sessions(n int) func(*Logout) {
	return func(l *Logout) {
		l.Sessions = nil
		for range n {
			l.Sessions = append(l.Sessions, "s")
		}
	}
}
