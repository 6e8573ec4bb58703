// Package presign signs the location of one S3 object with one person's
// temporary credentials. It is arithmetic: it asks no network, reads no
// environment and keeps nothing but a derived key beside each credential.
//
//	bucket, err := presign.NewBucket("imaging", "eu-west-1", "aws", "")
//	location, err := presign.ParseLocation("s3://imaging/radiology/a b.png")
//	signer := &presign.Signer{}
//	signed, err := signer.Presign("GET", bucket, location, credentials)
//	// signed.Target() is what Envoy sends as :path to bucket.Host
//
// What is signed is byte for byte what was asked: the method, the bucket and
// the key. A key that something on the way could fold into another one (empty
// and dot segments) or cut (a question mark) is refused by ParseLocation, so
// that it never comes to be signed.
//
// The URLs are those of aws-sdk-go-v2's v4.Signer.PresignHTTP, byte for byte,
// and the signatures those of botocore; tests hold it to both. Addressing is
// always path-style, because one host and one certificate then serve all
// buckets of an endpoint. Access points, ARNs, Multi-Region Access Points
// (SigV4A) and directory buckets are not supported. It decides nothing: who
// may read what is package grants'.
package presign
