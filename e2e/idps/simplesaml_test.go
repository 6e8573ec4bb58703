//go:build idps

package idps

import (
	"context"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"crypto/x509"

	"github.com/rolepass/rolepass/saml/samltest"
)

// simpleSAML is SimpleSAMLphp as Debian has it, in PHP's own web server.
type simpleSAML struct {
	*program
	address string
	dir     string
}

// The configuration: an IdP that signs the assertion only (its default), and
// writes the provider before the role.
const (
	simpleConfig = `<?php $config = [
'baseurlpath' => '%[1]s/', 'certdir' => '%[2]s/cert/', 'loggingdir' => '%[2]s/', 'datadir' => '%[2]s/', 'tempdir' => '%[2]s/tmp',
'logging.handler' => 'file', 'logging.level' => 5, 'secretsalt' => 'only-for-a-test-%[3]s', 'auth.adminpassword' => '%[3]s', 'timezone' => 'UTC',
'enable.saml20-idp' => true, 'session.cookie.secure' => false, 'store.type' => 'phpsession', 'session.phpsession.savepath' => '%[2]s/tmp',
'module.enable' => ['exampleauth' => true], 'metadata.sources' => [['type' => 'flatfile']], 'metadatadir' => '%[2]s/metadata', 'language.default' => 'en',
];`
	simpleSources = `<?php $config = ['people' => ['exampleauth:UserPass', 'bob:demo-bob' => [
'uid' => ['bob'], 'email' => ['bob@simplesaml.example'], 'givenName' => ['Bob'], 'surname' => ['Brown'],
'https://aws.amazon.com/SAML/Attributes/Role' => ['%[2]s,%[1]s'], 'https://aws.amazon.com/SAML/Attributes/RoleSessionName' => ['bob'],
]]];`
	simpleHosted = `<?php $metadata['__DYNAMIC:1__'] = ['host' => '__DEFAULT__', 'privatekey' => 'idp.key', 'certificate' => 'idp.crt', 'auth' => 'people',
'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', 'attributes.NameFormat' => 'urn:oasis:names:tc:SAML:2.0:attrname-format:uri',
'authproc' => [1 => ['class' => 'saml:PersistentNameID', 'attribute' => 'uid']]];`
	simpleRemote = `<?php $metadata['%[1]s/rolepass/saml/metadata'] = [
'AssertionConsumerService' => [['Binding' => 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST', 'Location' => '%[1]s/rolepass/saml/acs', 'index' => 0, 'isDefault' => true]],%[2]s
'NameIDFormat' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent', 'audience' => ['urn:amazon:webservices'],
'saml20.sign.assertion' => true, 'saml20.sign.response' => false];`
)

// startSimpleSAML writes the configuration, with what it knows of Rolepass,
// and starts it.
func startSimpleSAML(ctx context.Context, dir, public, role, provider string) (*simpleSAML, error) {
	port := freePort(18400)
	s := &simpleSAML{address: "http://" + loopback(port), dir: dir}
	key, err := samltest.NewKey(2048)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key.Private)
	if err != nil {
		return nil, err
	}
	for name, text := range map[string]string{
		"config/config.php":              fmt.Sprintf(simpleConfig, s.address, dir, "salt"),
		"config/authsources.php":         fmt.Sprintf(simpleSources, role, provider),
		"metadata/saml20-idp-hosted.php": simpleHosted,
		"metadata/saml20-sp-remote.php":  fmt.Sprintf(simpleRemote, public, ""),
		"cert/idp.key":                   string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		"cert/idp.crt":                   string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: key.Certificate.Raw})),
		"tmp/.keep":                      "",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	s.program, err = starts(dir, "simplesaml", []string{"SIMPLESAMLPHP_CONFIG_DIR=" + filepath.Join(dir, "config")},
		"php", "-d", "error_reporting=0", "-S", strings.TrimPrefix(s.address, "http://"), "-t", "/usr/share/simplesamlphp/www")
	if err != nil {
		return nil, err
	}
	if err := s.await(ctx, s.metadata()); err != nil {
		s.stop()
		return nil, fmt.Errorf("SimpleSAMLphp: %w", err)
	}
	return s, nil
}

// signsOut tells it where logout messages go, and by which certificate they
// are known.
func (s *simpleSAML) signsOut(public, certificate string) error {
	more := fmt.Sprintf(`
'SingleLogoutService' => [['Binding' => 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect', 'Location' => '%[1]s/rolepass/saml/slo']],
'certData' => '%[2]s', 'redirect.validate' => true, 'redirect.sign' => true, 'sign.logout' => true, 'validate.authnrequest' => true,`, public, certificate)
	return os.WriteFile(filepath.Join(s.dir, "metadata", "saml20-sp-remote.php"), []byte(fmt.Sprintf(simpleRemote, public, more)), 0o600)
}

func (s *simpleSAML) metadata() string { return s.address + "/saml2/idp/metadata.php" }
