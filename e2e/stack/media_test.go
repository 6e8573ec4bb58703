package stack

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"image/png"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// looks says what is wrong with an object of a kind; nil if nothing is.
var looks = map[string]func(t *testing.T, body []byte){
	".png": func(t *testing.T, body []byte) {
		picture, err := png.Decode(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if size := picture.Bounds().Size(); size.X < 200 || size.Y < 200 {
			t.Errorf("the picture is %v", size)
		}
	},
	".wav": func(t *testing.T, body []byte) {
		le := binary.LittleEndian
		if string(body[:4]) != "RIFF" || string(body[8:16]) != "WAVEfmt " || string(body[36:40]) != "data" {
			t.Fatalf("the head is %q", body[:44])
		}
		if int(le.Uint32(body[4:]))+8 != len(body) || int(le.Uint32(body[40:]))+44 != len(body) {
			t.Error("the lengths in the head are not the file's")
		}
		if rate, channels, bits := le.Uint32(body[24:]), le.Uint16(body[22:]), le.Uint16(body[34:]); rate != 8000 || channels != 1 || bits != 16 {
			t.Errorf("%d Hz, %d channels, %d bit", rate, channels, bits)
		}
		if !bytes.ContainsFunc(body[44:], func(r rune) bool { return r != 0 }) {
			t.Error("it is silent")
		}
	},
	".webm": func(t *testing.T, body []byte) {
		if !bytes.HasPrefix(body, []byte{0x1a, 0x45, 0xdf, 0xa3}) || !bytes.Contains(body[:64], []byte("webm")) || !bytes.Contains(body, []byte("V_VP8")) {
			t.Errorf("it begins with %x", body[:64])
		}
	},
	".csv": func(t *testing.T, body []byte) {
		lines := strings.Split(strings.TrimSpace(string(body)), "\n")
		for _, line := range lines {
			if strings.Count(line, ",") != 1 {
				t.Errorf("a line is %q", line)
			}
		}
		if lines[0] != "time,lead" || len(lines) < 1000 {
			t.Errorf("%d lines under %q", len(lines), lines[0])
		}
	},
	".json": func(t *testing.T, body []byte) {
		var turns []struct{ Who, Said string }
		if err := json.Unmarshal(body, &turns); err != nil || len(turns) < 3 || turns[0].Who == "" || turns[0].Said == "" {
			t.Errorf("the conversation is %q: %v", body, err)
		}
	},
	".pdf": func(t *testing.T, body []byte) {
		table := body[bytes.LastIndex(body, []byte("startxref\n"))+len("startxref\n"):]
		at, err := strconv.Atoi(string(table[:bytes.IndexByte(table, '\n')]))
		if err != nil || !bytes.HasPrefix(body[at:], []byte("xref\n0 6\n")) {
			t.Fatalf("the table is not at %q", table)
		}
		for i, line := range strings.Split(string(body[at:]), "\n")[3:8] {
			offset, err := strconv.Atoi(line[:10])
			if want := strconv.Itoa(i+1) + " 0 obj"; err != nil || !bytes.HasPrefix(body[offset:], []byte(want)) {
				t.Errorf("object %d is not at %s", i+1, line[:10])
			}
		}
	},
	".html": func(t *testing.T, body []byte) {
		if !bytes.Contains(body, []byte("</h1>")) {
			t.Errorf("the page is %q", body)
		}
	},
	".txt": func(t *testing.T, body []byte) {
		if !utf8.Valid(body) || len(body) < 100 {
			t.Errorf("the text is %q", body)
		}
	},
}

// everything gives the objects of a project, also the second ones of tasks.
func everything(c content) (all []object) {
	for _, o := range c.objects {
		all = append(append(all, o), o.more...)
	}
	return all
}

func TestEveryObjectIsWhatItsNameSays(t *testing.T) {
	seen := map[[32]byte]string{}
	for _, c := range contents() {
		for _, o := range everything(c) {
			if !strings.HasPrefix(o.uri, "s3://notes/attachments/") { // those are harmful.go's
				looks[cmp.Or(path.Ext(o.uri), ".png")](t, o.body)
			}
			sum := sha256.Sum256(o.body)
			if other, ok := seen[sum]; ok {
				t.Errorf("%s is the same as %s", o.uri, other)
			}
			seen[sum] = o.uri
		}
	}
}

func TestTheDemoHoldsWhatItPromises(t *testing.T) {
	kinds, most := map[string]bool{}, 0
	var keys []string
	for _, c := range contents() {
		most = max(most, len(c.objects))
		for _, o := range everything(c) {
			kinds[path.Ext(o.uri)] = true
			keys = append(keys, o.uri)
		}
	}
	if len(kinds) < 4 || len(contents()) < 4 || most < 40 {
		t.Errorf("%d kinds, %d projects, %d tasks at most", len(kinds), len(contents()), most)
	}
	for _, sign := range []string{" ", "+", "&", "%", "#", "ö", "肺", "/a/"} {
		if sign == "/a/" {
			if !slices.ContainsFunc(keys, func(key string) bool { return strings.Count(key, "/") > 10 }) {
				t.Error("no key is deep")
			}
			continue
		}
		if !slices.ContainsFunc(keys, func(key string) bool { return strings.Contains(key, sign) }) {
			t.Errorf("no key has %q", sign)
		}
	}
	for _, o := range outside() {
		if slices.Contains(keys, o.uri) {
			t.Errorf("%s is in a task", o.uri)
		}
	}
}

// Who may see a task follows from the grants, and demo.json says it right.
func TestMayIsWhatTheGrantsSay(t *testing.T) {
	ids := map[string]int64{}
	for i, c := range contents() {
		ids[c.title] = int64(i + 1)
	}
	granted := func(p person, c content, uri string) bool {
		for _, grant := range grantsOf(ids) {
			_, anywhere := grant["anywhere"]
			projects, _ := grant["projects"].([]int64)
			titles, _ := grant["project_titles"].([]string)
			if !slices.Contains(p.roles, grant["role"].(string)) || !anywhere && !slices.Contains(projects, ids[c.title]) && !slices.Contains(titles, c.title) {
				continue
			}
			if slices.ContainsFunc(grant["read"].([]string), func(prefix string) bool { return strings.HasPrefix(uri, prefix) }) {
				return true
			}
		}
		return false
	}
	for _, c := range contents() {
		for _, o := range everything(c) {
			for _, p := range people {
				if got, want := slices.Contains(may(c.role), p.name), granted(p, c, o.uri) && !p.quiet; got != want {
					t.Errorf("%s may see %s of %s: demo.json says %v, the grants %v", p.name, o.uri, c.title, got, want)
				}
			}
		}
	}
	for _, grant := range grantsOf(ids) {
		if grant["role"] == visiting {
			t.Error("the contractor's role is granted something")
		}
	}
}

func TestTheTwoSitesAreTwo(t *testing.T) {
	s := &Stack{}
	if err := s.choosesPort(); err != nil {
		t.Fatal(err)
	}
	s.startIdPFor(t)
	app, err := url.Parse(s.Demo.Public)
	if err != nil {
		t.Fatal(err)
	}
	idp, err := url.Parse(s.Demo.IdP)
	if err != nil {
		t.Fatal(err)
	}
	if app.Hostname() != "localhost" || idp.Hostname() != "127.0.0.1" {
		t.Errorf("the application is at %s, the identity provider at %s", app, idp)
	}
}

func (s *Stack) startIdPFor(t *testing.T) {
	t.Helper()
	if err := s.startIdP(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, server := range s.servers {
			_ = server.Close()
		}
	})
}
