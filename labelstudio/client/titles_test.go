package client_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rolepass/rolepass/labelstudio/client"
)

// shelf is a Label Studio that lists its projects, two at a time.
type shelf []string

func (s shelf) RoundTrip(r *http.Request) (*http.Response, error) {
	page, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil || r.URL.Path != "/api/projects/" || r.Header.Get("Authorization") == "" {
		return &http.Response{StatusCode: 401, Body: http.NoBody, Request: r}, nil
	}
	var results []string
	for i := (page - 1) * 2; i < min(page*2, len(s)); i++ {
		results = append(results, fmt.Sprintf(`{"id": %d, "title": %q}`, i+1, s[i]))
	}
	next := "null"
	if page*2 < len(s) {
		next = fmt.Sprintf(`"http://elsewhere.test/api/projects/?page=%d"`, page+1)
	}
	body := `{"count": 0, "next": ` + next + `, "previous": null, "results": [` + strings.Join(results, ",") + `]}`
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func TestProjectsByTitle(t *testing.T) {
	for name, c := range map[string]struct {
		shelf  shelf
		titles []string
		want   map[string]int64 // nil: refused
	}{
		"over pages":         {shelf{"a", "b", "Radiology", "c", "Ultrasound"}, []string{"Radiology", "Ultrasound"}, map[string]int64{"Radiology": 3, "Ultrasound": 5}},
		"another case":       {shelf{"radiology"}, []string{"Radiology"}, nil},
		"part of a title":    {shelf{"Radiology 2"}, []string{"Radiology"}, nil},
		"two of one title":   {shelf{"Radiology", "a", "b", "Radiology"}, []string{"Radiology"}, nil},
		"one of two missing": {shelf{"Radiology"}, []string{"Radiology", "Ultrasound"}, nil},
		"nothing there":      {shelf{}, []string{"Radiology"}, nil},
	} {
		asking := client.New(&url.URL{Scheme: "http", Host: "label-studio.test"}, &http.Client{Transport: c.shelf}, time.Now)
		got, err := asking.Titled(t.Context(), ada, c.titles)
		if (err == nil) != (c.want != nil) || c.want != nil && fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
