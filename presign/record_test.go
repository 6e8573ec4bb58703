package presign_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/presign"
	"pgregory.net/rapid"
)

func TestRecordsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := func(name string, least int) string { return rapid.StringN(least, -1, -1).Draw(t, name) }
		token := rapid.OneOf(rapid.StringN(0, -1, -1), rapid.StringMatching(`([A-Za-z0-9+/]{4}){0,9}([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|\r\n)?`)).Draw(t, "token")
		want := &presign.Credentials{
			AccessKeyID: text("id", 1), SecretAccessKey: presign.Secret(text("secret", 1)), SessionToken: presign.Secret(token),
			Expires: time.Unix(rapid.Int64Range(-1<<40, 1<<40).Draw(t, "expires"), rapid.Int64Range(0, 999999999).Draw(t, "nanos")), STS: text("sts", 1),
		}
		record := want.AppendRecord([]byte("before"))
		got, err := presign.CredentialsFromRecord(bytes.TrimPrefix(record, []byte("before")))
		if err != nil {
			t.Fatal(err)
		}
		if got.AccessKeyID != want.AccessKeyID || got.SecretAccessKey != want.SecretAccessKey || got.SessionToken != want.SessionToken || got.STS != want.STS || !got.Expires.Equal(want.Expires) {
			t.Fatalf("the record of %q came back as %q", want.AccessKeyID, got.AccessKeyID)
		}
		if got.Size() < len(want.AccessKeyID)+len(want.SecretAccessKey)+2*len(want.SessionToken)+len(want.STS) {
			t.Fatalf("the size is said to be %d", got.Size())
		}
	})
}

// TestRecordsAreReadToTheLastByte cuts, lengthens and changes a record.
func TestRecordsAreReadToTheLastByte(t *testing.T) {
	record := credentials("token").AppendRecord(nil)
	for n := range record {
		if _, err := presign.CredentialsFromRecord(record[:n]); err == nil {
			t.Errorf("accepted when cut to %d bytes", n)
		}
	}
	if _, err := presign.CredentialsFromRecord(append(bytes.Clone(record), 0)); err == nil {
		t.Error("accepted with a byte too many")
	}
	for _, c := range []struct {
		at    int
		value byte
	}{{0, 0}, {0, 3}, {9, 0xff}, {13, 0xff}, {16, record[16] + 1}} {
		changed := bytes.Clone(record)
		changed[c.at] = c.value
		if _, err := presign.CredentialsFromRecord(changed); err == nil {
			t.Errorf("accepted with byte %d changed", c.at)
		}
	}
	if got, err := presign.CredentialsFromRecord(append([]byte{1}, credentials("dG9rZW4=").AppendRecord(nil)[1:]...)); err != nil || got.SessionToken != "token" {
		t.Errorf("a record whose token stands as it is was read as another: %v", err)
	}
	for _, empty := range []*presign.Credentials{{SecretAccessKey: "s", STS: "t"}, {AccessKeyID: "a", STS: "t"}, {AccessKeyID: "a", SecretAccessKey: "s"}} {
		if _, err := presign.CredentialsFromRecord(empty.AppendRecord(nil)); err == nil {
			t.Error("accepted with an empty field")
		}
	}
}

// TestRecordsOfEarlierVersionsAreRead: these were written once and stay, one of
// each form.
func TestRecordsOfEarlierVersionsAreRead(t *testing.T) {
	for text, token := range map[string]presign.Secret{
		"01000000006b49e010000001f40000000b415349414558414d504c4500000006736563726574" +
			"000000156120746f6b656e2c206173206974207374616e647300000003617773": "a token, as it stands",
		"02000000006b49e010000001f40000000b415349414558414d504c4500000006736563726574" +
			"0000000d170a0665722f61777310161a0c00000003617773": "FwoGZXIvYXdzEBYaDA==",
	} {
		record, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		c, err := presign.CredentialsFromRecord(record)
		if err != nil {
			t.Errorf("form %d: %v", record[0], err)
			continue
		}
		ends := time.Date(2027, 1, 15, 9, 0, 0, 500, time.UTC)
		if c.AccessKeyID != "ASIAEXAMPLE" || c.SecretAccessKey != "secret" || c.SessionToken != token || c.STS != "aws" || !c.Expires.Equal(ends) {
			t.Errorf("form %d is read as that of %s at %s until %v", record[0], c.AccessKeyID, c.STS, c.Expires)
		}
	}
}

// FuzzCredentialsFromRecord: whatever is read is written as it came, but for a token
// that an earlier version left as it is and that is now unspelled.
func FuzzCredentialsFromRecord(f *testing.F) {
	f.Add(credentials("token").AppendRecord(nil))
	f.Add(credentials("FwoGZXIvYXdzEBYaDA==").AppendRecord(nil))
	f.Add(credentials("").AppendRecord(nil))
	f.Add(append([]byte{1}, credentials("").AppendRecord(nil)[1:]...))
	f.Fuzz(func(t *testing.T, record []byte) {
		c, err := presign.CredentialsFromRecord(record)
		if err != nil {
			return
		}
		again := c.AppendRecord(nil)
		if bytes.Equal(again, record) {
			return
		}
		if record[0] != 1 || again[0] != 2 {
			t.Fatal("another record says the same")
		}
		read, err := presign.CredentialsFromRecord(again)
		if err != nil || read.AccessKeyID != c.AccessKeyID || read.SecretAccessKey != c.SecretAccessKey || read.SessionToken != c.SessionToken || read.STS != c.STS || !read.Expires.Equal(c.Expires) {
			t.Fatalf("written anew, it says something else: %v", err)
		}
	})
}

// TestATokenInBase64TakesItsBytes: what AWS writes is kept in three quarters.
func TestATokenInBase64TakesItsBytes(t *testing.T) {
	const n = 4000
	short, long := len(credentials("").AppendRecord(nil)), len(credentials(strings.Repeat("IQoJ", n/4)).AppendRecord(nil))
	if long-short != n/4*3 {
		t.Errorf("%d characters of base64 take %d bytes", n, long-short)
	}
}
