package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rolepass/rolepass/e2e/stack"
)

// BenchmarkFetches compares a data fetch through Envoy and Rolepass with Label
// Studio's own, in both of its modes: presigning, with a second request to S3,
// and proxying. Same machine, same objects, same S3, six requests at a time.
//
//	go test ./e2e -run '^$' -bench Fetches -benchtime 5s -count 5
//
// CPU is that of the programs that a deployment would add or relieve: Envoy and
// Rolepass here, Label Studio there; Label Studio answers Rolepass's questions
// in the first one, too, and that counts.
func BenchmarkFetches(b *testing.B) {
	m := visits(b).asMember("researcher")
	tasks := readable(m.project("Research"), "researcher")
	b.Run("rolepass", func(b *testing.B) {
		m.measures(b, []string{"envoy", "rolepass", "label_studio"}, func(client *http.Client, i int) (*http.Response, error) {
			task := tasks[i%len(tasks)]
			return get(client, m.fetching(task.ID, task.URI), "")
		})
	})
	for _, presign := range []bool{true, false} {
		b.Run(map[bool]string{true: "label-studio-presign", false: "label-studio-proxy"}[presign], func(b *testing.B) {
			own, address := m.keylessTasks(tasks, presign)
			m.measures(b, []string{"label_studio"}, func(client *http.Client, i int) (*http.Response, error) {
				return get(client, address+fetchPath(own[i%len(own)], tasks[i%len(tasks)].URI), m.bearer())
			})
		})
	}
}

// keylessTasks makes tasks with the same objects in a project whose storage
// has the key of Label Studio's machine, which reads them.
func (m member) keylessTasks(tasks []stack.Task, presign bool) (own []int64, address string) {
	project := made(m.t, m.directly("POST", "/api/projects/", asJSON, `{"title": "Measured", "label_config": "<View><Image name=\"i\" value=\"$image\"/></View>"}`))
	storage := running(m.t).Storage(project, "imaging")
	delete(storage, "aws_access_key_id")
	delete(storage, "aws_secret_access_key")
	storage["presign"] = presign
	made(m.t, m.directly("POST", "/api/storages/s3/", asJSON, spelled(m.t, storage)))
	for _, task := range tasks {
		own = append(own, made(m.t, m.directly("POST", "/api/tasks/", asJSON, spelled(m.t, map[string]any{"project": project, "data": map[string]any{"image": task.URI}}))))
	}
	return own, "http://" + running(m.t).DirectHost()
}

// bearer is what Label Studio itself takes from the member.
func (m member) bearer() string {
	bearer, err := running(m.t).Bearer(m.id)
	if err != nil {
		m.t.Error(err)
	}
	return bearer.Reveal()
}

// get fetches one object, following Label Studio's redirect to S3, which must
// not see the bearer.
func get(client *http.Client, address, authorization string) (*http.Response, error) {
	request, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	for _, header := range asPicture {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	response, err := client.Do(request)
	if err != nil || response.StatusCode != http.StatusSeeOther {
		return response, err
	}
	if err := response.Body.Close(); err != nil {
		return nil, err
	}
	return client.Get(response.Header.Get("Location"))
}

// measures fetches as often as the benchmark says, and reports what that cost
// the named programs.
func (m member) measures(b *testing.B, programs []string, fetch func(client *http.Client, i int) (*http.Response, error)) {
	client := *m.client // keeps the cookies, and connections of its own
	client.Transport = &http.Transport{MaxIdleConnsPerHost: 16, DisableCompression: true}
	var n, bytes atomic.Int64
	before := cpu(b, programs, m.demo.PIDs)
	b.SetParallelism(3)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			response, err := fetch(&client, int(n.Add(1)))
			if err != nil {
				b.Error(err)
				return
			}
			got, err := io.Copy(io.Discard, response.Body)
			if err != nil || response.StatusCode != http.StatusOK || response.Body.Close() != nil || got == 0 {
				b.Errorf("%s, %d bytes: %v", response.Status, got, err)
				return
			}
			bytes.Add(got)
		}
	})
	b.StopTimer()
	after := cpu(b, programs, m.demo.PIDs)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "fetches/s")
	b.ReportMetric(float64(bytes.Load())/float64(b.N)/1000, "kB/fetch")
	total := 0.0
	for _, program := range programs {
		total += after[program] - before[program]
		b.ReportMetric(1000*(after[program]-before[program])/float64(b.N), program+"-CPU-ms/fetch")
	}
	b.ReportMetric(1000*total/float64(b.N), "CPU-ms/fetch")
}

// cpu gives the seconds of processor time that programs have used, with all
// processes of their groups (Linux: /proc).
func cpu(b *testing.B, programs []string, pids map[string]int) map[string]float64 {
	b.Helper()
	const ticks = 100 // USER_HZ, which is 100 wherever Go runs Linux
	used := map[string]float64{}
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(files) == 0 {
		b.Fatalf("no /proc: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		for _, program := range programs {
			if fields[2] != fmt.Sprint(pids[program]) {
				continue
			}
			for _, field := range fields[11:13] {
				n, err := strconv.ParseFloat(field, 64)
				if err != nil {
					b.Fatal(err)
				}
				used[program] += n / ticks
			}
		}
	}
	return used
}
