package main

import (
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/rolepass/rolepass/config"
	"github.com/rolepass/rolepass/presign"
)

func debugPresignCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "presign --config FILE s3://BUCKET/KEY",
		Short: "Print the location that would be signed",
		Long: "Print the location that would be signed for one object, with the credentials in AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.\n" +
			"The configuration needs no more than public_url and buckets. Whoever has the printed address can read the object until it ends.",
		Args: exactly(1),
	}
	path := configFlag(c)
	method := c.Flags().String("method", "GET", "GET or HEAD")
	at := c.Flags().String("at", "", "sign as at this `time` (RFC 3339; default now)")
	expires := c.Flags().Duration("expires", presign.DefaultExpires, "how long the location is good for, 1s to 168h")
	c.RunE = func(c *cobra.Command, args []string) error {
		now, err := moment(*at)
		if err != nil {
			return err
		}
		if *expires < time.Second || *expires > presign.MaxExpires || *expires%time.Second != 0 {
			return fmt.Errorf("--expires %s is not between 1s and 168h in whole seconds", *expires)
		}
		loaded, err := loadQuietly(*path, config.ForPresign)
		if err != nil {
			return err
		}
		signed, err := presignFor(loaded, args[0], *method, now, *expires)
		if err != nil {
			return found{err}
		}
		return say(c, "%s\n", signed.URL())
	}
	return c
}

func presignFor(c *config.Config, uri, method string, now time.Time, expires time.Duration) (presign.Presigned, error) {
	location, err := presign.ParseLocation(uri)
	if err != nil {
		return presign.Presigned{}, err
	}
	i := slices.IndexFunc(c.Buckets, func(b config.Bucket) bool { return b.Name == location.Bucket })
	if i < 0 {
		return presign.Presigned{}, fmt.Errorf("bucket %s is not in the configuration: add it under buckets", location.Bucket)
	}
	bucket := c.Buckets[i].Bucket
	credentials := &presign.Credentials{
		AccessKeyID:     os.Getenv("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: presign.Secret(os.Getenv("AWS_SECRET_ACCESS_KEY")),
		SessionToken:    presign.Secret(os.Getenv("AWS_SESSION_TOKEN")),
		// The environment does not say when they end.
		Expires: now.Add(expires + time.Hour),
		STS:     bucket.STS,
	}
	if credentials.AccessKeyID == "" || credentials.SecretAccessKey == "" {
		return presign.Presigned{}, fmt.Errorf("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_SESSION_TOKEN for temporary credentials")
	}
	signer := &presign.Signer{Now: func() time.Time { return now }, Expires: expires}
	return signer.Presign(method, bucket, location, credentials)
}
