package stack

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/samlsts"
)

// The files of docker-compose.yml are written by hand, for people to read; the
// stories are told with the people and roles of this package.

func TestTheRealmHasTheDemonstrationsPeople(t *testing.T) {
	text, err := os.ReadFile("../compose/realm.json")
	if err != nil {
		t.Fatal(err)
	}
	var realm struct {
		Clients []struct {
			ClientID   string
			Attributes map[string]string
		}
		Users []struct {
			Username, Email, FirstName, LastName string
			Credentials                          []struct{ Value string }
			ClientRoles                          map[string][]string
		}
	}
	if err := json.Unmarshal(text, &realm); err != nil {
		t.Fatal(err)
	}
	entity, acs := composedPublic+"/rolepass/saml/metadata", composedPublic+"/rolepass/saml/acs"
	if len(realm.Clients) != 1 || realm.Clients[0].ClientID != entity || realm.Clients[0].Attributes["saml_assertion_consumer_url_post"] != acs {
		t.Errorf("the client is %+v", realm.Clients)
	}
	var there []person
	for _, u := range realm.Users {
		p := person{name: u.Username, email: u.Email, first: u.FirstName, last: u.LastName}
		for _, role := range u.ClientRoles[entity] {
			p.roles = append(p.roles, strings.TrimSuffix(role, ","+provider))
		}
		if len(u.Credentials) != 1 || u.Credentials[0].Value != password(u.Username) {
			t.Errorf("%s has another password", u.Username)
		}
		there = append(there, p)
	}
	byName := func(a, b person) int { return strings.Compare(a.name, b.name) }
	want := slices.Clone(people)
	for i := range want {
		want[i].quiet, want[i].groups = false, nil // the realm has no groups
	}
	slices.SortFunc(there, byName)
	slices.SortFunc(want, byName)
	if !reflect.DeepEqual(there, want) {
		t.Errorf("the realm has %+v, want %+v", there, want)
	}
}

func TestTheComposedGrantsAreTheStacks(t *testing.T) {
	c, err := config.Load("../compose/rolepass.yaml", config.ForEnvoy)
	if err != nil {
		t.Fatal(err)
	}
	want := grantsOf(map[string]int64{"Radiology": 1, "Ultrasound": 4})
	if len(c.GrantList) != len(want) {
		t.Fatalf("%d grants, want %d", len(c.GrantList), len(want))
	}
	for i, g := range c.GrantList {
		var read []string
		for _, p := range g.Read {
			read = append(read, p.String())
		}
		projects, _ := want[i]["projects"].([]int64)
		if titles, ok := want[i]["project_titles"].([]string); ok && slices.Equal(titles, []string{"Ultrasound"}) {
			projects = append(slices.Clone(projects), 4)
		}
		anywhere, _ := want[i]["anywhere"].(bool)
		if g.Role != want[i]["role"] || !slices.Equal(read, want[i]["read"].([]string)) || !slices.Equal(g.Scope.Projects, projects) || g.Scope.Anywhere != anywhere {
			t.Errorf("grant %d is %+v, want %v", i+1, g, want[i])
		}
	}
	if !slices.Equal(c.LabelStudio.Administrators, []string{steward}) {
		t.Errorf("administrators are %v", c.LabelStudio.Administrators)
	}
	sts, err := samlsts.Load("../compose/samlsts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range sts.Roles {
		if _, ok := reads[r.ARN]; !ok || r.Store.AccessKeyID != storeUser(r.ARN) || !slices.Equal(r.Trust.SAMLAud, []string{c.ACS()}) {
			t.Errorf("samlsts has the role %+v", r)
		}
	}
	if len(sts.Roles) != len(reads) {
		t.Errorf("samlsts has %d roles, want %d", len(sts.Roles), len(reads))
	}
}

// Nothing is published beyond loopback, our own containers can do nothing that
// they need not, and every service that runs says whether it is well.
func TestTheCompositionKeepsToItself(t *testing.T) {
	for _, file := range []string{"docker-compose.yml", "docker-compose.watched.yml"} {
		text, err := os.ReadFile("../" + file)
		if err != nil {
			t.Fatal(err)
		}
		var c struct {
			Services map[string]struct {
				Ports       []string
				Privileged  bool
				NetworkMode string   `yaml:"network_mode"`
				ReadOnly    bool     `yaml:"read_only"`
				CapDrop     []string `yaml:"cap_drop"`
				Healthcheck map[string]any
				Image       string
			}
		}
		if err := yaml.Unmarshal([]byte(strings.ReplaceAll(string(text), "!override ", "")), &c); err != nil {
			t.Fatal(err)
		}
		for name, s := range c.Services {
			for _, port := range s.Ports {
				if !strings.HasPrefix(port, "127.0.0.1:") {
					t.Errorf("%s: %s publishes %s", file, name, port)
				}
			}
			if s.Privileged || s.NetworkMode == "host" {
				t.Errorf("%s: %s reaches the host", file, name)
			}
			ours := name == "rolepass" || name == "samlsts" || name == "envoy"
			if file == "docker-compose.yml" && ours && (!s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"})) {
				t.Errorf("%s can do more than it needs", name)
			}
			if file == "docker-compose.yml" && name != "prepare" && name != "seed" && s.Healthcheck == nil {
				t.Errorf("%s has no health check", name)
			}
			if strings.Contains(s.Image, "@sha256") || s.Image != "" && strings.HasSuffix(s.Image, ":latest") {
				t.Errorf("%s: %s is run as %s", file, name, s.Image)
			}
		}
	}
}

func TestTheAuthorityIssuesForItsNamesOnly(t *testing.T) {
	ca, err := newAuthority()
	if err != nil {
		t.Fatal(err)
	}
	chain, _, err := ca.issues("minio", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(chain)
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca.certificate)
	for name, want := range map[string]bool{"minio": true, "127.0.0.1": true, "store": false, "127.0.0.2": false} {
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
