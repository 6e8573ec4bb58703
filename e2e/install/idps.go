package main

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// keycloak is the identity provider that the slow tests run, by its Maven
// coordinates.
const (
	keycloakVersion  = "26.7.3"
	keycloakArtifact = "org.keycloak:keycloak-quarkus-dist:" + keycloakVersion + ":zip"
	mavenCopy        = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
)

// keycloakFolder holds Keycloak under home, and under db its database with the
// administrator and the realm.
const keycloakFolder = "keycloak"

// simpleSAML is where Debian's package keeps SimpleSAMLphp.
const simpleSAML = "/usr/share/simplesamlphp/www/saml2/idp/SSOService.php"

// keycloakRealm is a hospital with one person. The client is made by the test,
// which alone knows where Rolepass is.
const keycloakRealm = `{"realm": "hospital", "enabled": true, "sslRequired": "none", "users": [{
	"username": "alice", "enabled": true, "email": "alice@keycloak.example", "emailVerified": true, "firstName": "Alice", "lastName": "Adler",
	"credentials": [{"type": "password", "value": "demo-alice", "temporary": false}]}]}`

// checkIdPs looks for what the real identity providers run on.
func (m machine) checkIdPs() []problem {
	var problems []problem
	for _, one := range []struct{ program, what, debian, other, homebrew string }{
		{"java", "there is no Java, which Keycloak runs on (17 or later)", "openjdk-17-jre-headless", "java-17-openjdk-headless", "openjdk@17"},
		{"mvn", "there is no Maven, which fetches Keycloak", "maven", "maven", "maven"},
		{"php", "there is no PHP, which SimpleSAMLphp runs on", "php-cli php-xml php-mbstring php-curl", "php-cli", "php"},
	} {
		if _, found := m.program(one.program); !found {
			problems = append(problems, problem{one.what, m.advise(one.debian, one.other, one.homebrew)})
		}
	}
	if _, err := os.Stat(simpleSAML); err != nil {
		problems = append(problems, problem{"there is no SimpleSAMLphp at " + simpleSAML, "In Debian: sudo apt-get install simplesamlphp. Elsewhere these tests run in a container with Debian."})
	}
	return problems
}

// keycloakStep fetches Keycloak, does at once what its start would do each
// time (its build), and imports the realm.
func keycloakStep() step {
	return step{
		name: keycloakFolder, title: "Keycloak, with a realm (some minutes)",
		inputs: []string{keycloakArtifact, keycloakRealm, strings.Join(keycloakBuild, " ")},
		files:  []string{"home/bin/kc.sh", "db/keycloakdb.mv.db"},
		make:   makeKeycloak,
	}
}

var keycloakBuild = []string{"build", "--db=dev-file", "--cache=local", "--health-enabled=true"}

func makeKeycloak(ctx context.Context, dir string, log *os.File) error {
	archive := filepath.Join(dir, "keycloak-quarkus-dist-"+keycloakVersion+".zip")
	if err := command(ctx, log, inherited(), "mvn", "-q", "-B", mavenCopy, "-Dartifact="+keycloakArtifact, "-DoutputDirectory="+dir); err != nil {
		return err
	}
	home := filepath.Join(dir, "home")
	if err := errors.Join(unzip(home, archive, "keycloak-"+keycloakVersion+"/"), os.Remove(archive)); err != nil {
		return err
	}
	realm := filepath.Join(dir, "realm.json")
	if err := os.WriteFile(realm, []byte(keycloakRealm), 0o600); err != nil {
		return err
	}
	program := filepath.Join(home, "bin", "kc.sh")
	if err := command(ctx, log, inherited(), program, keycloakBuild...); err != nil {
		return err
	}
	database := "KC_DB_URL=jdbc:h2:file:" + filepath.Join(dir, "db", "keycloakdb") + ";NON_KEYWORDS=VALUE"
	return command(ctx, log, inherited(database, "KC_BOOTSTRAP_ADMIN_USERNAME=admin", "KC_BOOTSTRAP_ADMIN_PASSWORD=admin", "JAVA_OPTS_APPEND=-Xmx512m"),
		program, "import", "--optimized", "--file", realm)
}

// unzip writes what an archive has below a folder of its own, scripts so that
// they can be run.
func unzip(to, archive, prefix string) error {
	reader, err := zip.OpenReader(archive)
	if err != nil {
		return fmt.Errorf("opening %s: %w", archive, err)
	}
	defer reader.Close()
	for _, file := range reader.File {
		name, inside := strings.CutPrefix(file.Name, prefix)
		if !inside || !filepath.IsLocal(name) || file.FileInfo().IsDir() {
			continue
		}
		if err := unzipFile(filepath.Join(to, name), file); err != nil {
			return fmt.Errorf("unpacking %s: %w", file.Name, err)
		}
	}
	return nil
}

func unzipFile(to string, file *zip.File) error {
	source, err := file.Open()
	if err != nil {
		return err
	}
	defer source.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if strings.HasSuffix(to, ".sh") {
		mode = 0o755
	}
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}
