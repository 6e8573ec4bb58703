//go:build idps

package idps

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// keycloak is Keycloak with the realm of e2e/install and one client: us.
type keycloak struct {
	*program
	address string
	client  string // the identifier that Keycloak gave our client
}

// startKeycloak starts a copy of the prepared database.
func startKeycloak(ctx context.Context, dir string) (*keycloak, error) {
	prepared := filepath.Join(os.Getenv("ROLEPASS_CACHE"), "keycloak")
	database, err := os.ReadFile(filepath.Join(prepared, "db", "keycloakdb.mv.db"))
	if err != nil {
		return nil, fmt.Errorf("there is no prepared Keycloak: run through make test-idps: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "keycloakdb.mv.db"), database, 0o600); err != nil {
		return nil, err
	}
	port := freePort(18200)
	management := freePort(port + 1)
	k := &keycloak{address: "http://" + loopback(port)}
	k.program, err = starts(dir, "keycloak", []string{
		"KC_DB_URL=jdbc:h2:file:" + filepath.Join(dir, "keycloakdb") + ";NON_KEYWORDS=VALUE", "JAVA_OPTS_APPEND=-Xmx512m",
	}, filepath.Join(prepared, "home", "bin", "kc.sh"), "start", "--optimized", "--http-enabled=true", "--hostname-strict=false",
		"--http-host=127.0.0.1", fmt.Sprintf("--http-port=%d", port), fmt.Sprintf("--http-management-port=%d", management))
	if err != nil {
		return nil, err
	}
	if err := k.await(ctx, fmt.Sprintf("http://127.0.0.1:%d/health/ready", management)); err != nil {
		k.stop()
		return nil, fmt.Errorf("Keycloak: %w", err)
	}
	return k, nil
}

func (k *keycloak) metadata() string {
	return k.address + "/realms/hospital/protocol/saml/descriptor"
}

// introduces tells Keycloak of Rolepass, as docs/idps.md says to set it up,
// and gives Alice the role.
func (k *keycloak) introduces(ctx context.Context, public, role, provider string) error {
	mapper := func(name, kind string, config map[string]string) map[string]any {
		return map[string]any{"name": name, "protocol": "saml", "protocolMapper": kind, "config": config}
	}
	client := map[string]any{
		"clientId": public + "/rolepass/saml/metadata", "protocol": "saml", "enabled": true, "fullScopeAllowed": false, "frontchannelLogout": true,
		"redirectUris": []string{public + "/rolepass/saml/acs"}, "defaultClientScopes": []string{},
		"attributes": map[string]string{
			"saml_assertion_consumer_url_post": public + "/rolepass/saml/acs", "saml_idp_initiated_sso_url_name": "label-studio",
			"saml.server.signature": "true", "saml.assertion.signature": "true", "saml.signature.algorithm": "RSA_SHA256", "saml.client.signature": "false",
			"saml_name_id_format": "persistent", "saml_force_name_id_format": "true", "saml.assertion.lifespan": "300", "saml.authnstatement": "true",
		},
		"protocolMappers": []any{
			mapper("roles", "saml-role-list-mapper", map[string]string{"attribute.name": "https://aws.amazon.com/SAML/Attributes/Role", "single": "true", "attribute.nameformat": "Basic"}),
			mapper("session name", "saml-user-property-mapper", map[string]string{"user.attribute": "username", "attribute.name": "https://aws.amazon.com/SAML/Attributes/RoleSessionName"}),
			mapper("email", "saml-user-property-mapper", map[string]string{"user.attribute": "email", "attribute.name": "email"}),
			mapper("audience", "saml-audience-mapper", map[string]string{"included.custom.audience": "urn:amazon:webservices"}),
		},
	}
	if err := k.admin(ctx, "POST", "/clients", client, nil); err != nil {
		return err
	}
	var found []struct{ ID string }
	if err := k.admin(ctx, "GET", "/clients?clientId="+url.QueryEscape(public+"/rolepass/saml/metadata"), nil, &found); err != nil || len(found) != 1 {
		return fmt.Errorf("our client: %w (%d found)", err, len(found))
	}
	k.client = found[0].ID
	return k.givesRole(ctx, role+","+provider)
}

func (k *keycloak) givesRole(ctx context.Context, pair string) error {
	if err := k.admin(ctx, "POST", "/clients/"+k.client+"/roles", map[string]any{"name": pair}, nil); err != nil {
		return err
	}
	var roles []map[string]any
	var people []struct{ ID string }
	if err := k.admin(ctx, "GET", "/clients/"+k.client+"/roles", nil, &roles); err != nil {
		return err
	}
	if err := k.admin(ctx, "GET", "/users?username=alice", nil, &people); err != nil || len(people) != 1 {
		return fmt.Errorf("alice: %w (%d found)", err, len(people))
	}
	return k.admin(ctx, "POST", "/users/"+people[0].ID+"/role-mappings/clients/"+k.client, roles, nil)
}

// signsOut tells Keycloak where logout messages go, and that requests and
// logout messages must be signed.
func (k *keycloak) signsOut(ctx context.Context, public, certificate string) error {
	return k.sets(ctx, map[string]string{
		"saml_single_logout_service_url_redirect": public + "/rolepass/saml/slo", "saml_single_logout_service_url_post": public + "/rolepass/saml/slo",
		"saml.client.signature": "true", "saml.signing.certificate": certificate,
	})
}

// sets changes attributes of our client.
func (k *keycloak) sets(ctx context.Context, attributes map[string]string) error {
	var client map[string]any
	if err := k.admin(ctx, "GET", "/clients/"+k.client, nil, &client); err != nil {
		return err
	}
	for name, value := range attributes {
		client["attributes"].(map[string]any)[name] = value
	}
	return k.admin(ctx, "PUT", "/clients/"+k.client, client, nil)
}

// audience changes whom Keycloak's assertions are for, beside us.
func (k *keycloak) audience(ctx context.Context, name string) error {
	path := "/clients/" + k.client + "/protocol-mappers/models"
	var mappers []map[string]any
	if err := k.admin(ctx, "GET", path, nil, &mappers); err != nil {
		return err
	}
	for _, mapper := range mappers {
		if mapper["protocolMapper"] == "saml-audience-mapper" {
			mapper["config"].(map[string]any)["included.custom.audience"] = name
			return k.admin(ctx, "PUT", fmt.Sprint(path, "/", mapper["id"]), mapper, nil)
		}
	}
	return errors.New("our client has no mapper of the audience")
}

// admin calls Keycloak's administration of the realm.
func (k *keycloak) admin(ctx context.Context, method, path string, body, into any) error {
	token, err := k.token(ctx)
	if err != nil {
		return err
	}
	var sent bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&sent).Encode(body); err != nil {
			return err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, k.address+"/admin/realms/hospital"+path, &sent)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	return answered(request, into)
}

func (k *keycloak) token(ctx context.Context) (string, error) {
	form := url.Values{"client_id": {"admin-cli"}, "grant_type": {"password"}, "username": {"admin"}, "password": {"admin"}}
	request, err := http.NewRequestWithContext(ctx, "POST", k.address+"/realms/master/protocol/openid-connect/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var got struct {
		Token string `json:"access_token"`
	}
	return got.Token, answered(request, &got)
}

func answered(request *http.Request, into any) error {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s: %.500s", request.Method, request.URL.Path, response.Status, body)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(body, into)
}
