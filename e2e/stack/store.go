package stack

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/rolepass/rolepass/e2e/s3guard"
)

// region is what signatures are for.
const region = "us-east-1"

// appKey is the access key that Label Studio has: the one key that everybody
// there shares.
const appKey = "label-studio"

// startStore starts MinIO, fills it, makes its users, and puts the strict
// guard before it. MinIO's own audit goes to s3.log.
func (s *Stack) startStore(ctx context.Context) error {
	addresses, err := s.ports.addresses(2)
	if err != nil {
		return err
	}
	log, err := s.appends("s3.log")
	if err != nil {
		return err
	}
	audit, err := s.serves(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { collect(r, log) }))
	if err != nil {
		return err
	}
	if err := s.startIssuer(); err != nil {
		return err
	}
	p, err := s.starts("minio", append(s.trustsIssuer(),
		"MINIO_ROOT_USER=root", "MINIO_ROOT_PASSWORD="+s.rootSecret, "MINIO_BROWSER=off", "MINIO_API_CORS_ALLOW_ORIGIN="+s.origins(), "MINIO_UPDATE=off",
		"MINIO_AUDIT_WEBHOOK_ENABLE_demo=on", "MINIO_AUDIT_WEBHOOK_ENDPOINT_demo=http://"+audit,
	), s.Tools.MinIO, "server", "--quiet", "--address", addresses[0], "--console-address", addresses[1], filepath.Join(s.Dir, "minio"))
	if err != nil {
		return err
	}
	s.store = "http://" + addresses[0]
	if err := p.await(ctx, s.store+"/minio/health/cluster"); err != nil {
		return err
	}
	if err := s.fill(ctx); err != nil {
		return err
	}
	document, err := hardeningDocument(ctx)
	if err != nil {
		return err
	}
	if err := s.makeUsers(ctx, document); err != nil {
		return err
	}
	return s.startGuard()
}

// origins are those whose pages are sent to the store: the redirecting
// Rolepass's, and Label Studio's without one.
func (s *Stack) origins() string {
	alone, _ := public(s.besides.alone) // our own address has a port
	return s.applications()[0] + "," + alone
}

// collect appends one audit record, as MinIO sends it.
func collect(r *http.Request, log io.Writer) {
	text, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err == nil && len(text) > 0 {
		_, _ = log.Write(append(bytes.TrimSpace(text), '\n'))
	}
}

func (s *Stack) startGuard() error {
	log, err := s.appends("s3-requests.log")
	if err != nil {
		return err
	}
	store, err := url.Parse(s.store)
	if err != nil {
		return err
	}
	guard, err := s3guard.New(s3guard.Options{Store: store, Region: region, Log: log})
	if err != nil {
		return err
	}
	address, err := s.serves(s.seen(guard))
	s.Demo.S3 = "http://" + address
	return err
}

// fill makes the buckets and their objects, as the store's administrator.
func (s *Stack) fill(ctx context.Context) error {
	client := s3.New(s3.Options{Region: region, BaseEndpoint: aws.String(s.store), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider("root", s.rootSecret, "")})
	all := outside()
	for _, content := range contents() {
		for _, o := range content.objects {
			all = append(append(all, o), o.more...)
		}
	}
	made := map[string]bool{}
	for _, o := range all {
		bucket, key, _ := strings.Cut(strings.TrimPrefix(o.uri, "s3://"), "/")
		if !made[bucket] {
			made[bucket] = true
			if _, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
				return fmt.Errorf("making bucket %s: %w", bucket, err)
			}
		}
		put := &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(o.body)}
		if o.contentType != "" {
			put.ContentType = &o.contentType
		}
		if _, err := client.PutObject(ctx, put); err != nil {
			return fmt.Errorf("putting %s: %w", o.uri, err)
		}
		s.objects[o.uri] = o.body
	}
	return nil
}

// makeUsers makes one user for each role, with what the role may do at most,
// and Label Studio's, with the least that it needs.
func (s *Stack) makeUsers(ctx context.Context, document []byte) error {
	least, err := leastPolicy(document)
	if err != nil {
		return err
	}
	users := []storeUserSpec{{appKey, s.appSecret, least}}
	if s.Careless {
		users = append(users, storeUserSpec{instanceKey, s.appSecret, policy([]string{"s3:GetObject", "s3:ListBucket"}, "*")})
	}
	for role, prefixes := range s.reads() {
		users = append(users, storeUserSpec{storeUser(role), s.roleSecret, policy([]string{"s3:GetObject"}, prefixes...)})
	}
	for _, user := range users {
		if err := (storeAdmin{s.store, s.rootSecret}).makes(ctx, user); err != nil {
			return fmt.Errorf("making the store's user %s: %w", user.name, err)
		}
	}
	return nil
}

// storeUser is the store's user that stands for a role.
func storeUser(role string) string { return "role-" + role[strings.LastIndexByte(role, '/')+1:] }

// policy allows actions on everything below some prefixes.
func policy(actions []string, prefixes ...string) map[string]any {
	var resources []string
	for _, prefix := range prefixes {
		resources = append(resources, "arn:aws:s3:::"+prefix)
	}
	return map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{"Effect": "Allow", "Action": actions, "Resource": resources}}}
}

// Object gives the bytes that were put into the store; nil if there are none.
func (s *Stack) Object(uri string) []byte { return s.objects[uri] }

// StoreRead is one read of an object, as the S3 server itself logged it.
type StoreRead struct {
	Object      string
	AccessKeyID string
	// Parent is the user whose temporary credentials these are: the role's.
	Parent string
	Status int
}

// StoreReads reads MinIO's own audit so far; it comes a little later than the
// answers.
func (s *Stack) StoreReads() ([]StoreRead, error) {
	type entry struct {
		API struct {
			Name, Bucket, Object string
			StatusCode           int
		}
		AccessKey, ParentUser string
	}
	all, err := readLines[entry](s.Demo.Logs["s3"])
	var reads []StoreRead
	for _, one := range all {
		if one.API.Name == "GetObject" || one.API.Name == "HeadObject" {
			reads = append(reads, StoreRead{"s3://" + one.API.Bucket + "/" + one.API.Object, one.AccessKey, one.ParentUser, one.API.StatusCode})
		}
	}
	return reads, err
}
