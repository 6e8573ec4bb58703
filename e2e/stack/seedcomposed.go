package stack

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Addresses of docker-compose.yml: to people, and past everything that watches.
const (
	composedPublic   = "https://localhost:8443"
	composedIdP      = "https://127.0.0.1:8444"
	composedPeek     = "http://127.0.0.1:9102"
	composedMetadata = "https://keycloak:8443/realms/hospital/protocol/saml/descriptor"
	composedStore    = "https://store:9000"
	composedS3       = "https://minio:9000"
	composedStudio   = "http://studio:8080"
)

// Seed fills the store and Label Studio of docker-compose.yml, gives samlsts
// the identity provider's metadata, and prints who can sign in: once. The last
// line of what it prints is the Demo as JSON.
func Seed(ctx context.Context, out io.Writer) error {
	record := filepath.Join(volumes, "seed", "demo.json")
	if text, err := os.ReadFile(record); err == nil {
		return tell(out, text)
	}
	secrets := map[string]string{}
	for _, name := range []string{"root", "role", "app", "secret-key"} {
		text, err := os.ReadFile(filepath.Join(volumes, "seed", name))
		if err != nil {
			return err
		}
		secrets[name] = string(text)
	}
	s := &Stack{objects: map[string][]byte{}, store: composedStore, direct: &url.URL{Scheme: "http", Host: strings.TrimPrefix(composedStudio, "http://")},
		rootSecret: secrets["root"], roleSecret: secrets["role"], appSecret: secrets["app"], secretKey: secrets["secret-key"]}
	s.Demo = Demo{Public: composedPublic, IdP: composedIdP, S3: composedS3, Accounts: accounts(), PIDs: map[string]int{}, Logs: map[string]string{}}
	for _, o := range outside() {
		s.Demo.Outside = append(s.Demo.Outside, o.uri)
	}
	for _, do := range []func(context.Context) error{metadata, s.fill, s.composedUsers, s.seed, s.asConfigured} {
		if err := do(ctx); err != nil {
			return err
		}
	}
	text, err := json.Marshal(s.Demo)
	if err != nil {
		return err
	}
	if err := os.WriteFile(record, text, 0o600); err != nil {
		return err
	}
	return tell(out, text)
}

// metadata gives samlsts what AWS's administrators upload: the identity
// provider's metadata.
func metadata(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, composedMetadata, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("fetching the identity provider's metadata: %w", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the identity provider answers %s for its metadata", response.Status)
	}
	return write(made{"samlsts/idp.xml", rolepassUser, text})
}

// composedUsers makes the store's users. The image has the document with the
// policy of Label Studio's own key.
func (s *Stack) composedUsers(ctx context.Context) error {
	document, err := os.ReadFile("/hardening.md")
	if err != nil {
		return err
	}
	return s.makeUsers(ctx, document)
}

// asConfigured says whether the projects got the numbers that rolepass.yaml
// has: it is written before they are there.
func (s *Stack) asConfigured(context.Context) error {
	if want := []int64{1, 4}; !slices.Equal([]int64{s.projectIDs["Radiology"], s.projectIDs["Ultrasound"]}, want) {
		return fmt.Errorf("Radiology and Ultrasound are projects %d and %d, and rolepass.yaml grants %v: begin with an empty Label Studio (docker compose down -v)",
			s.projectIDs["Radiology"], s.projectIDs["Ultrasound"], want)
	}
	return nil
}

// tell prints who can sign in where.
func tell(out io.Writer, demo []byte) error {
	fmt.Fprintf(out, "\nOpen %s and sign in as:\n", composedPublic)
	for _, account := range accounts() {
		fmt.Fprintf(out, "  %-12s password %s\n", account.Name, account.Password)
	}
	_, err := fmt.Fprintf(out, "\n%s\n", demo)
	return err
}
