package config

import (
	"time"

	"github.com/rolepass/rolepass/presign"
)

// environment is the token service of buckets that name none, where one
// location is signed with credentials from the environment.
const environment = "environment"

func (s section) tokenServices(c *Config) {
	list := s.wanted(s.whole(), "sts", "give at least one token service with name and region")
	taken := map[string]int{}
	for _, item := range s.list(list) {
		c.STS = append(c.STS, s.tokenService(item, taken))
	}
}

func (r *reader) tokenService(v value, taken map[string]int) STS {
	s := r.section(v, "name", "region", "endpoint", "duration")
	sts := STS{Name: s.named(taken), Duration: s.duration("duration", time.Hour, 15*time.Minute, 12*time.Hour)}
	region := s.need("region", "give the region whose endpoint is called, such as eu-west-1")
	before := len(r.problems)
	if endpoint := s.get("endpoint"); endpoint.given() {
		if u := s.publicURL(endpoint); u != nil {
			sts.Endpoint = u.String()
		}
	}
	if text := s.text(region); text != "" && r.fine(before) {
		// The rules for a region are those of a bucket in it.
		if _, err := presign.NewBucket("any-bucket", text, "any", sts.Endpoint); err != nil {
			r.problem(region.place, "%v", err)
			return sts
		}
		r.warnOfRegion(region.place, text, sts.Endpoint)
		sts.Region = text
	}
	return sts
}

func (s section) buckets(c *Config) {
	list := s.wanted(s.whole() || s.needs == ForPresign, "buckets", "give at least one bucket with name, region and sts")
	taken := map[string]int{}
	for _, item := range s.list(list) {
		c.Buckets = append(c.Buckets, s.bucket(item, taken))
	}
}

func (r *reader) bucket(v value, taken map[string]int) Bucket {
	s := r.section(v, "name", "region", "sts", "endpoint", "kms")
	before := len(r.problems)
	at := s.need("name", "give the bucket's name, as in s3://NAME/")
	bucket := s.text(at)
	if line, twice := taken[bucket]; twice && bucket != "" {
		r.problem(at.place, "the bucket %s is there already, on line %d: keep one", bucket, line)
	}
	taken[bucket] = at.line
	region := s.text(s.need("region", "give the bucket's region, such as eu-west-1"))
	sts := s.text(s.wanted(r.needs != ForPresign, "sts", "say which token service's credentials sign for the bucket, by its name under sts"))
	if sts == "" {
		sts = environment
	}
	b := Bucket{Bucket: presign.Bucket{Name: bucket, Region: region, STS: sts}, Endpoint: s.text(s.get("endpoint")), KMS: s.boolean(s.get("kms"))}
	if !r.fine(before) {
		return b
	}
	address, err := presign.NewBucket(bucket, region, sts, b.Endpoint)
	if err != nil {
		r.problem(s.place, "%v", err)
		return b
	}
	r.warnOfRegion(s.place, region, b.Endpoint)
	if b.Bucket = address; b.KMS && b.Endpoint != "" {
		r.warn(s.place, "kms is for AWS: the S3 server at %s may refuse session policies with kms:Decrypt", b.Scheme+"://"+b.Host)
	}
	return b
}

// kms are the buckets whose objects are encrypted with SSE-KMS.
func (c *Config) kms() map[string]string {
	kms := map[string]string{}
	for _, b := range c.Buckets {
		if b.KMS {
			kms[b.Name] = b.Region
		}
	}
	return kms
}
