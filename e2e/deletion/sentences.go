package deletion

// Files are the files of package saml that have checks of a response, a logout
// message or metadata in them.
var Files = []string{"decode.go", "scan.go", "shape.go", "grammar.go", "signature.go", "statement.go", "checks.go", "authncontext.go", "roles.go", "role.go", "verify.go", "gosaml2.go", "encrypted.go", "decrypt.go", "opened.go", "logoutverify.go", "metadata.go"}

// Sentence says which check another one backs up.
type Sentence struct {
	// By is the code with which a vector is refused when the check is off.
	// Empty: no vector gets as far as the check.
	By  string
	Why string
}

// BacksUp are the checks without which everything is refused all the same.
var BacksUp = func() map[string]Sentence {
	all := map[string]Sentence{}
	for _, group := range groups {
		for _, check := range group.checks {
			all[check] = Sentence{group.by, group.why}
		}
	}
	return all
}()

const (
	missing = "grammar: check: !present "
	tooFew  = "grammar: checkChildren: n < p.min "
	tooMany = "grammar: checkChildren: n > p.max "
)

// groups are the sentences, each with the checks for which it stands.
var groups = []struct {
	by, why string
	checks  []string
}{
	// Our rules before gosaml2's, for the sentence.
	{"saml_library", "gosaml2 has the same rule; ours names the setting at the IdP, and counts in what gosaml2 only warns of", []string{
		`checks: audience: return forbidden("saml_audience")`, "checks: judge: the rule [audience]",
		"checks: issuer: got != want [h.said.issuer]", "checks: issuer: got != want [h.said.responseIssuer]", "checks: judge: the rule [issuer]",
		"checks: method: h.said.method != bearer", "checks: judge: the rule [method]",
		`checks: recipient: return forbidden("saml_recipient")`, "checks: judge: the rule [recipient]",
		`checks: ended: return forbidden("saml_expired")`, "checks: judge: the rule [confirmed until]", "checks: judge: the rule [not on or after]",
		"checks: notBefore: h.now.Add(h.sp.skew()).Before(h.said.notBefore)", "checks: judge: the rule [not before]",
		`shape: versions: version != "2.0" [root]`, missing + "[Conditions/@NotBefore]"}},
	{"saml_conditions", "the warning is for our rules about time, which refuse too", []string{
		"gosaml2: verifySignatures: warnings.InvalidTime", missing + "[Conditions/@NotOnOrAfter]", missing + "[SubjectConfirmationData/@NotOnOrAfter]"}},
	{"saml_audience", "without one, no audience is ours, and the rule about audiences refuses", []string{
		"gosaml2: verifySignatures: warnings.NotInAudience", tooFew + "[Assertion/Conditions]", tooFew + "[AudienceRestriction/Audience]", tooFew + "[Conditions/AudienceRestriction]"}},

	// One sentence of a rule before another one of it.
	{"saml_in_response_to", "a response that answers nothing answers no login of ours either; this check is for telling the unsolicited apart", []string{
		`checks: inResponseTo: said == "" && h.said.responseInResponseTo == ""`, `checks: inResponseTo: said == ""`, `checks: inResponseTo: h.expect.RequestID == ""`,
		tooFew + "[Assertion/Subject]", tooFew + "[Subject/SubjectConfirmation]", tooFew + "[SubjectConfirmation/SubjectConfirmationData]"}},
	{"saml_session_name", "an attribute that is not there has no value, and exactly one is wanted", []string{
		"checks: sessionName: !present", tooFew + "[Assertion/AttributeStatement]", tooFew + "[AttributeStatement/Attribute]"}},
	{"saml_no_role", "an attribute that is not there has no value", []string{"roles: roles: !present"}},
	{"saml_internal", "without a value there is nothing to name in the refusal; a panic is a refusal as well", []string{"roles: roles: len(values) == 0"}},
	{"saml_role", "what has no comma, or several, is no pair of exact ARNs", []string{
		`role: ParseRole: return Role{}, errors.New("it has several commas; send each pair as an AttributeValue of its own")`,
		`role: ParseRole: return Role{}, errors.New("it is not a role ARN and a provider ARN with a comma between them")`}},
	{"saml_internal", "what is not an ARN has no parts to compare; a panic is a refusal as well", []string{"role: pair: a == nil", "role: pair: b == nil"}},

	// Reading bytes.
	{"saml_base64", "the second half, that the characters are the canonical ones, refuses too", []string{"decode: decode: err != nil"}},
	{"saml_xml", "encoding/xml refuses what is not UTF-8; this check says which setting it is", []string{"decode: decode: !utf8.Valid(raw)"}},
	{"saml_internal", "a document that cannot be read has no next token and no element; a panic is a refusal as well", []string{"scan: scan: err != nil", "scan: scan: s.root == nil"}},

	// One assertion, in its place.
	{"saml_structure", "the grammar knows no such element in that place; this check names the attack or the setting", []string{
		`shape: isResponse: root.name != samlp("Response")`, `shape: knownNamespaces: refused = malformed("saml_namespace")`,
		`shape: notEncrypted: return forbidden("saml_encrypted")`, "shape: oneAssertion: e.parent != root", "shape: oneAssertion: misplaced",
		`shape: succeeded: return forbidden("saml_status")`, "signature: signaturePlaces: !owner", "signature: signaturePlaces: misplaced"}},
	{"saml_assertion_count", "the grammar wants exactly one assertion too; this check counts the hidden ones", []string{
		"shape: oneAssertion: count == 0", "shape: oneAssertion: count > 1"}},
	{"saml_namespace", "its namespace is none of SAML's", []string{`shape: oneAssertion: e.name != saml("Assertion")`, `signature: signaturePlaces: e.name != ds("Signature")`}},
	{"", "counted before, whatever its namespace and place", []string{tooFew + "[Response/Assertion]", tooMany + "[Response/Assertion]"}},
	{"", "a response without a verdict is refused before", []string{tooFew + "[Response/Status]"}},

	// Something missing reads as empty, and empty is refused.
	{"saml_too_old", "a time that is not there is long ago", []string{missing + "[Assertion/@IssueInstant]", missing + "[Response/@IssueInstant]"}},
	{"saml_version", "no version is not 2.0", []string{missing + "[Assertion/@Version]", missing + "[Response/@Version]"}},
	{"saml_authn_instant", "a time that is not there is no time", []string{
		missing + "[AuthnStatement/@AuthnInstant]", tooFew + "[Assertion/AuthnStatement]"}},
	{"", "the grammar wants an AuthnInstant", []string{"checks: authentication: h.said.authenticated.IsZero()"}},
	{"saml_time", "what cannot be read as a time reads as the year 1", []string{"statement: read: err != nil"}},
	{"saml_subject_confirmation", "no method is not that of a bearer", []string{missing + "[SubjectConfirmation/@Method]"}},
	{"saml_recipient", "no recipient is not ours", []string{missing + "[SubjectConfirmationData/@Recipient]"}},
	{"saml_issuer", "no issuer is not the IdP", []string{tooFew + "[Assertion/Issuer]", tooFew + "[Response/Issuer]"}},
	{"saml_name_id", "no NameID is an empty one", []string{tooFew + "[Subject/NameID]"}},

	// What a signature says about itself.
	{"saml_canonicalization", "no canonical form is not exclusive canonicalization", []string{missing + "[CanonicalizationMethod/@Algorithm]", tooFew + "[SignedInfo/CanonicalizationMethod]"}},
	{"saml_algorithm", "no algorithm is none that may be used", []string{
		missing + "[SignatureMethod/@Algorithm]", tooFew + "[Reference/DigestMethod]", tooFew + "[SignedInfo/SignatureMethod]"}},
	{"saml_reference", "no reference is not to the element that the signature stands in", []string{missing + "[Reference/@URI]", tooFew + "[SignedInfo/Reference]", tooFew + "[Signature/SignedInfo]"}},
	{"saml_transform", "no transform is not the one that belongs there", []string{missing + "[Transform/@Algorithm]"}},
	{"saml_internal", "there is no first transform to look at; a panic is a refusal as well", []string{tooFew + "[Reference/Transforms]", tooFew + "[Transforms/Transform]"}},
	{"saml_signature", "goxmldsig wants exactly one too", []string{
		tooFew + "[Reference/DigestValue]", tooFew + "[Signature/SignatureValue]",
		tooMany + "[Signature/KeyInfo]", tooMany + "[Signature/SignatureValue]", tooMany + "[Signature/SignedInfo]",
		"signature: signaturePlaces: count == 0"}},
	{"saml_signature", "what is not taken out of the digest is digested: no signature can be over its own value", []string{
		`signature: transforms: list[0].attr("Algorithm") != enveloped`}},
	{"saml_certificate", "what cannot be read as a certificate is none of the metadata's", []string{
		"signature: match: err != nil", "signature: match: first == nil", tooFew + "[X509Data/X509Certificate]"}},
	{"saml_internal", "without a certificate there is no validity to look at; goxmldsig wants a pinned one too", []string{"signature: match: i < 0"}},
	{"saml_signature", "goxmldsig takes no certificate outside of its validity; this check gives the dates", []string{"signature: pinned: !slices.ContainsFunc(named, valid)"}},

	// Readers that see two things.
	{"saml_readers_differ", "gosaml2 puts the two together and our scan reads the first; what the grammar wants in a second one makes a difference", []string{
		tooMany + "[Assertion/AttributeStatement]", tooMany + "[Assertion/Conditions]", tooMany + "[Conditions/AudienceRestriction]"}},
	{"saml_one_time_use", "one is refused by its rule already", []string{tooMany + "[Conditions/OneTimeUse]"}},
	{"saml_proxy_restriction", "one is refused by its rule already", []string{tooMany + "[Conditions/ProxyRestriction]", tooMany + "[ProxyRestriction/Audience]"}},
	{"", "stands for a difference between the two readers that nobody knows; TestReadersMustAgree shows that it sees each value", []string{`gosaml2: agree: return forbidden("saml_readers_differ")`}},
	{"", "no element gets as far that its parent's rule does not name", []string{"grammar: follows: !known"}},

	// Decrypting.
	{"saml_encrypted", "the second one is still encrypted when the first is not any more", []string{"encrypted: unseal: n != 1"}},
	{"saml_assertion_count", "the two are counted once more when one is decrypted", []string{`encrypted: unseal: root.child(saml("Assertion")) != nil`}},
	{"saml_encryption_algorithm", "a key that is not there is wrapped by nothing", []string{"encrypted: unseal: key == nil"}},
	{"saml_decryption", "a cipher that is not known has no length of a key, and opens nothing", []string{"decrypt: decrypt: !content"}},
	{"saml_internal", "a transport that is not known has no options; a panic is a refusal as well", []string{"decrypt: decrypt: transport == nil"}},
	{"saml_signature", "gosaml2 takes no unsigned assertion out of a response that it is shown without its signature", []string{
		`decrypt: decrypt: assertion.name == saml("Assertion") && assertion.child(ds("Signature")) == nil`}},
	{"saml_internal", "this is the response's own signature; without its verdict there is nothing to show to gosaml2", []string{"opened: opened: err != nil (2)"}},
	{"", "stands for an etree that reads less than our scan", []string{"opened: opened: err != nil", "opened: opened: err != nil (3)", "opened: opened: sealed == nil"}},
	{"saml_xml", "what was not opened is no XML", []string{"decrypt: decrypt: !opened"}},

	{"saml_encryption", "without it there is no EncryptedData of the type Element with a key in it", []string{
		missing + "[EncryptedData/@Type]", tooFew + "[EncryptedAssertion/EncryptedData]", tooFew + "[EncryptedData/KeyInfo]"}},
	{"saml_encryption_algorithm", "no algorithm is none that may be used", []string{
		missing + "[EncryptionMethod/@Algorithm]", tooFew + "[EncryptedData/EncryptionMethod]", tooFew + "[EncryptedKey/EncryptionMethod]"}},
	{"saml_decryption", "nothing opens no assertion", []string{
		tooFew + "[CipherData/CipherValue]", tooFew + "[EncryptedData/CipherData]", tooFew + "[EncryptedKey/CipherData]"}},

	// Logout messages.
	{"saml_logout_query", "no message is none that could be inflated", []string{"logoutverify: ReadLogoutQuery: err != nil", `logoutverify: splitLogoutQuery: q.message == ""`}},
	{"saml_signature", "no signature is none by a key of the metadata", []string{
		`logoutverify: splitLogoutQuery: q.signature == ""`, "logoutverify: signedQuery: err != nil (2)", "logoutverify: signedLogout: signaturesOf(root).response == nil"}},
	{"saml_algorithm", "no algorithm is none that may be used", []string{`logoutverify: splitLogoutQuery: q.algorithm == ""`, "logoutverify: signedQuery: err != nil"}},
	{"saml_structure", "the grammar knows no such message", []string{`logoutverify: examineLogout: root.name != samlp("LogoutRequest") && root.name != samlp("LogoutResponse")`}},
	{"saml_internal", "this is the signature itself; without its verdict there is no message to go on with", []string{`logoutverify: signedLogout: return nil, forbidden("saml_signature")`}},
	{"", "stands for a goxmldsig that gives other bytes than it was given", []string{"logoutverify: signedLogout: refused != nil", "logoutverify: signedLogout: again.name != root.name"}},
	{"saml_destination", "no destination is not ours", []string{missing + "[LogoutRequest/@Destination]", missing + "[LogoutResponse/@Destination]"}},
	{"saml_issue_instant", "a time that is not there is long ago", []string{missing + "[LogoutRequest/@IssueInstant]", missing + "[LogoutResponse/@IssueInstant]"}},
	{"saml_version", "no version is not 2.0", []string{missing + "[LogoutRequest/@Version]", missing + "[LogoutResponse/@Version]"}},
	{"saml_logout_issuer", "no issuer is not the IdP", []string{tooFew + "[LogoutRequest/Issuer]", tooFew + "[LogoutResponse/Issuer]"}},
	{"saml_name_id", "no NameID is an empty one", []string{tooFew + "[LogoutRequest/NameID]"}},

	// Metadata.
	{"metadata", "what begins so is no XML that is read; this check says what it is", []string{
		`metadata: parseMetadata: bytes.HasPrefix(document, []byte("\xff\xfe"))`, `metadata: parseMetadata: bytes.HasPrefix(document, []byte("\xfe\xff"))`, "metadata: parseMetadata: webPage(document)"}},
	{"metadata", "what stands before the first element is text outside of it", []string{"metadata: parseMetadata: document[0] != '<'"}},
	{"saml_internal", "what cannot be read is nothing to go on with: reading it panics", []string{
		"metadata: parseMetadata: len(document) == 0", "metadata: endpoint: err != nil", "metadata: certificate: err != nil (2)", "metadata: strong: !ok"}},

	// gosaml2's answer.
	{"saml_internal", "this is the signature itself; without its verdict there is no statement to go on with", []string{"gosaml2: verifySignatures: err != nil"}},
	{"", "stands for a gosaml2 that says less than it does today", []string{
		"gosaml2: verifySignatures: err != nil (2)", "gosaml2: verifySignatures: err != nil (3)", "gosaml2: verifySignatures: len(response.Assertions) != 1",
		"gosaml2: verifySignatures: !response.SignatureValidated && !response.Assertions[0].SignatureValidated",
		"verify: coversWhatItMust: h.responseSigned && !verified.response",
		"gosaml2: verifiedStatement: r.Issuer == nil", "gosaml2: verifiedStatement: a.Issuer == nil", "gosaml2: verifiedStatement: a.Subject == nil",
		"gosaml2: verifiedStatement: a.Subject.NameID == nil", "gosaml2: verifiedStatement: a.Subject.SubjectConfirmation == nil",
		"gosaml2: verifiedStatement: a.Subject.SubjectConfirmation.SubjectConfirmationData == nil", "gosaml2: verifiedStatement: a.Conditions == nil",
		"gosaml2: verifiedStatement: a.AuthnStatement == nil", "gosaml2: verifiedStatement: a.AuthnStatement.AuthnInstant == nil", "gosaml2: verifiedStatement: a.AttributeStatement == nil"}},
}
