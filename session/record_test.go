package session

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rolepass/rolepass/saml"
)

func drawSession(t *rapid.T) *Session {
	text := func(name string) string { return rapid.StringN(0, 40, -1).Draw(t, name) }
	at := func(name string) time.Time { return time.Unix(0, rapid.Int64().Draw(t, name)) }
	s := &Session{
		Principal: saml.Principal{IdP: text("idp"), NameID: text("name id"), NameIDFormat: text("format"), SessionName: text("session name"), Email: text("email"), FirstName: text("first"), LastName: text("last")},
		Roles:     rapid.SliceOfN(rapid.StringN(0, 200, -1), 1, 40).Draw(t, "roles"),
		AppUser:   rapid.Int64().Draw(t, "user"), Organization: rapid.Int64().Draw(t, "organization"),
		IdPSession: text("idp session"), Created: at("created"), Seen: at("seen"), Expires: at("expires"),
	}
	for range rapid.IntRange(0, 3).Draw(t, "missed") {
		s.Missed = append(s.Missed, Missed{text("role"), text("reason")})
	}
	return s
}

func TestRecordsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawSession(t)
		got, err := fromRecord(want.appendRecord(nil))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("another session came back, %v", err)
		}
	})
}

// Nothing of a session is left out of its record but what the cookie brings.
func TestARecordHoldsEachField(t *testing.T) {
	full := reflect.New(reflect.TypeFor[Session]()).Elem()
	for i := range full.NumField() {
		field := full.Type().Field(i)
		if field.Name == "ID" || field.Name == "half" {
			continue
		}
		s := &Session{Created: time.Unix(0, 1), Seen: time.Unix(0, 1), Expires: time.Unix(0, 1)}
		switch v := reflect.ValueOf(s).Elem().Field(i); v.Interface().(type) {
		case time.Time:
			v.Set(reflect.ValueOf(time.Unix(0, 2)))
		case saml.Principal:
			for j := range v.NumField() {
				v.Field(j).SetString(v.Type().Field(j).Name)
			}
		case string:
			v.SetString("text")
		case int64:
			v.SetInt(7)
		case []string:
			v.Set(reflect.ValueOf([]string{"role"}))
		case []Missed:
			v.Set(reflect.ValueOf([]Missed{{"role", "reason"}}))
		default:
			t.Fatalf("what is a %T to a record?", v.Interface())
		}
		if got, err := fromRecord(s.appendRecord(nil)); err != nil || !reflect.DeepEqual(got, s) {
			t.Errorf("%s does not come back: %v", field.Name, err)
		}
	}
}

func TestRecordsAreReadToTheLastByte(t *testing.T) {
	s := &Session{Created: time.Unix(0, 1), Seen: time.Unix(0, 2), Expires: time.Unix(0, 3), Roles: []string{"a", "b"}, Missed: []Missed{{"c", "d"}}, AppUser: 300}
	record := s.appendRecord(nil)
	for n := range record {
		if _, err := fromRecord(record[:n]); err == nil {
			t.Errorf("accepted when cut to %d bytes", n)
		}
	}
	if _, err := fromRecord(append(bytes.Clone(record), 0)); err == nil {
		t.Error("accepted with a byte too many")
	}
	many := (&Session{Created: time.Unix(0, 1), Seen: time.Unix(0, 2), Expires: time.Unix(0, 3)}).appendRecord(nil)
	many = binary.AppendUvarint(many[:len(many)-2], 1<<62) // so many roles, and there it ends
	if _, err := fromRecord(many); err == nil {
		t.Error("accepted with more roles than bytes")
	}
	if _, err := fromRecord(append([]byte{recordVersion + 1}, record[1:]...)); err == nil {
		t.Error("accepted in another version")
	}
}

// A record that another release wrote in this version opens: who changes what is
// written changes the version, and reads both.
func TestAWrittenRecordOpens(t *testing.T) {
	const written = "01" + // the version
		"0000b49376e2fa18" + "0000000000000000" + "0000000000000000" + // 08:00, nothing, nothing
		"2a" + "00" + // the application's numbers
		"04636f7270" + "0170" + // corp, p
		"0434373131" + "03616461" + "00" + "03416461" + "00" + // 4711, ada, no e-mail, Ada, no name
		"025f31" + // _1
		"020161" + "0162" + // roles a, b
		"01" + "0163" + "0164" // c is missed because of d
	record, err := hex.DecodeString(written)
	if err != nil {
		t.Fatal(err)
	}
	want := &Session{
		Principal: saml.Principal{IdP: "corp", NameID: "4711", NameIDFormat: "p", SessionName: "ada", FirstName: "Ada"},
		Roles:     []string{"a", "b"}, Missed: []Missed{{"c", "d"}}, AppUser: 42, IdPSession: "_1",
		Created: time.Date(2027, 1, 15, 8, 0, 0, 0, time.UTC).Local(), Seen: time.Unix(0, 0), Expires: time.Unix(0, 0),
	}
	if got, err := fromRecord(record); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("it is read as another session, %v", err)
	}
	if again := want.appendRecord(nil); !bytes.Equal(again, record) {
		t.Errorf("it is written as %x", again)
	}
}

// FuzzFromRecord: whatever is read is a session that is written and read again.
func FuzzFromRecord(f *testing.F) {
	s := &Session{Principal: saml.Principal{IdP: "corp", NameID: "4711", Email: "ada@example.com"}, Roles: []string{"a", "b"}, Missed: []Missed{{"c", "d"}}, AppUser: 300, IdPSession: "_1"}
	s.Created, s.Seen, s.Expires = time.Unix(1, 0), time.Unix(2, 0), time.Unix(3, 0)
	f.Add(s.appendRecord(nil))
	f.Add((&Session{}).appendRecord(nil))
	f.Fuzz(func(t *testing.T, record []byte) {
		s, err := fromRecord(record)
		if err != nil {
			return
		}
		if again, err := fromRecord(s.appendRecord(nil)); err != nil || !reflect.DeepEqual(again, s) {
			t.Fatalf("written again it is read as another: %v", err)
		}
	})
}
