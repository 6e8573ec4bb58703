package stack

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// podAudience is whom a pod's token is for.
const podAudience = "sts.demo"

// issuer says who pods are, as a cluster's OpenID Connect provider does: the
// store believes what is signed with its key.
type issuer struct {
	address string
	key     *rsa.PrivateKey
}

// startIssuer serves the two documents that the store asks for when it starts.
func (s *Stack) startIssuer() (err error) {
	if s.issuer.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		return err
	}
	documents := http.NewServeMux()
	serves := func(path string, document func() any) {
		documents.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(document())
		})
	}
	serves("/.well-known/openid-configuration", func() any {
		return map[string]any{"issuer": s.issuer.address, "jwks_uri": s.issuer.address + "/keys", "response_types_supported": []string{"id_token"},
			"subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"}}
	})
	part := base64.RawURLEncoding.EncodeToString
	serves("/keys", func() any {
		public := s.issuer.key.PublicKey
		return map[string]any{"keys": []any{map[string]any{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "demo", "n": part(public.N.Bytes()), "e": part(big.NewInt(int64(public.E)).Bytes())}}}
	})
	address, err := s.serves(documents)
	s.issuer.address = "http://" + address
	return err
}

// trustsIssuer is the environment in which the store believes the issuer. It has
// no roles by name, and takes what a pod may do from the token.
func (s *Stack) trustsIssuer() []string {
	return []string{
		"MINIO_IDENTITY_OPENID_CONFIG_URL=" + s.issuer.address + "/.well-known/openid-configuration",
		"MINIO_IDENTITY_OPENID_CLIENT_ID=" + podAudience, "MINIO_IDENTITY_OPENID_CLAIM_NAME=policy",
	}
}

// PodToken is the token of a pod whose service account may take the role
// radiology, signed by the issuer's key, or by one of somebody else's.
func (s *Stack) PodToken(forged bool) (token string, err error) {
	key := s.issuer.key
	if forged {
		if key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return "", err
		}
	}
	now := time.Now()
	unsigned := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": s.issuer.address, "aud": podAudience, "sub": "system:serviceaccount:labelling:pipeline",
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "policy": storeUser(radiology),
	})
	unsigned.Header["kid"] = "demo"
	if token, err = unsigned.SignedString(key); err == nil && s.Secrets != nil {
		s.Secrets.Keep("a pod's token", token)
	}
	return token, err
}

// WithWorkloadInPod is WithWorkload where Rolepass runs in a pod: it has the
// file of a token, and in the environment keys that nobody has. Told hears for
// which role the token was shown; a signed call is an error.
func (s *Stack) WithWorkloadInPod(ctx context.Context, user int64, token string, told func(role string, err error), do func()) error {
	file := filepath.Join(s.Dir, "pod-token.secret")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		return err
	}
	store, err := s.roleless(told)
	if err != nil {
		return err
	}
	return s.withWorkload(ctx, user, store, "AKIALEFT", "left", map[string]any{"web_identity_token_file": file}, do)
}

// roleless is the store's token service for callers that name a role, which it
// does not know by that name.
func (s *Stack) roleless(told func(role string, err error)) (address string, err error) {
	store, err := url.Parse(s.store)
	if err != nil {
		return "", err
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(store) }}
	address, err = s.serves(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil || r.PostForm.Get("Action") != "AssumeRoleWithWebIdentity" {
			told("", errors.New("it is another call"))
		}
		if r.Header.Get("Authorization") != "" {
			told("", errors.New("the call is signed"))
		}
		told(r.PostForm.Get("RoleArn"), nil)
		r.PostForm.Del("RoleArn")
		body := r.PostForm.Encode()
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		proxy.ServeHTTP(w, r)
	}))
	return "http://" + address, err
}
