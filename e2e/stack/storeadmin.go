package stack

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"golang.org/x/crypto/argon2"
)

// storeUserSpec is one user of the store, with one policy of the same name.
type storeUserSpec struct {
	name, secret string
	policy       map[string]any
}

// storeAdmin speaks MinIO's administration API, as far as making users goes.
type storeAdmin struct {
	store  string // its address
	secret string // of the user root
}

// makes makes a user with its policy.
func (a storeAdmin) makes(ctx context.Context, u storeUserSpec) error {
	if err := a.puts(ctx, "add-user", url.Values{"accessKey": {u.name}}, map[string]any{"secretKey": u.secret, "status": "enabled"}, a.sealed); err != nil {
		return err
	}
	if err := a.puts(ctx, "add-canned-policy", url.Values{"name": {u.name}}, u.policy, open); err != nil {
		return err
	}
	return a.puts(ctx, "idp/builtin/policy/attach", nil, map[string]any{"policies": []string{u.name}, "user": u.name}, a.sealed)
}

// puts sends one command. Attaching is a POST there, the others are PUTs.
func (a storeAdmin) puts(ctx context.Context, command string, query url.Values, body any, encoded func([]byte) ([]byte, error)) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	sent, err := encoded(text)
	if err != nil {
		return err
	}
	method := http.MethodPut
	if query == nil {
		method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(ctx, method, a.store+"/minio/admin/v3/"+command, bytes.NewReader(sent))
	if err != nil {
		return err
	}
	request.URL.RawQuery = query.Encode()
	sum := sha256.Sum256(sent)
	hash := hex.EncodeToString(sum[:])
	request.Header.Set("X-Amz-Content-Sha256", hash)
	request.Header.Set("Content-Type", "application/octet-stream")
	root := aws.Credentials{AccessKeyID: "root", SecretAccessKey: a.secret}
	if err := v4.NewSigner().SignHTTP(ctx, root, request, hash, "s3", region, time.Now()); err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(response.Body, tail))
		return fmt.Errorf("the store's administration answers %s to %s: %s", response.Status, command, said)
	}
	return nil
}

// open is for what is not secret.
func open(text []byte) ([]byte, error) { return text, nil }

// sealed encrypts as the administration wants secrets: AES-256-GCM under a key
// that Argon2id makes of the password, in one last fragment of the format that
// MinIO calls DARE: salt, cipher (0), nonce, ciphertext. Its additional data is
// the mark of a last fragment, and the tag of an empty fragment zero.
func (a storeAdmin) sealed(text []byte) ([]byte, error) {
	var salt [32]byte
	var nonce [12]byte // eight random bytes, and the fragment's number
	_, _ = rand.Read(salt[:])
	_, _ = rand.Read(nonce[:8])
	block, err := aes.NewCipher(argon2.IDKey([]byte(a.secret), salt[:], 1, 64<<10, 4, 32))
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	additional := append([]byte{0x80}, gcm.Seal(nil, nonce[:], nil, nil)...)
	out := append(append(salt[:], 0), nonce[:8]...)
	nonce[8] = 1
	return gcm.Seal(out, nonce[:], text, additional), nil
}
