package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	small = 15_000      // a picture as Label Studio's samples have it
	large = 200_000_000 // a volume
	// largest is the number of the object that is large.
	largest = objects - 1
	// thumbnails are fetched at once by a page of the Data Manager.
	thumbnails = 30
	pages      = 10
)

// lab is an S3 that gives zeros, and Envoys in front of it.
type lab struct {
	dir, s3 string
	ends    []func()
}

// throughProxy is one round of one proxy.
type throughProxy struct {
	cpu    float64 // µs for a small object, of all its processes
	ours   float64 // of it Rolepass's, where there is one
	rate   float64 // small objects per second
	stream float64 // MB/s of the large one
	page   float64 // ms for the thumbnails
}

// compareProxies asks each in turn, round by round.
func compareProxies(p plan) error {
	dir, err := os.MkdirTemp("", "bench-envoy-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	l := &lab{dir: dir}
	defer func() {
		for _, end := range slices.Backward(l.ends) {
			end()
		}
	}()
	if err := l.startS3(); err != nil {
		return err
	}
	all, err := l.proxies()
	if err != nil {
		return err
	}
	for round := range p.rounds + 1 { // the first warms up
		for _, one := range all {
			got, err := one.measure(p)
			if err != nil {
				return fmt.Errorf("%s: %w", one.name, err)
			}
			if round > 0 {
				one.results = append(one.results, got)
			}
		}
	}
	reportProxies(p, all)
	return nil
}

// startS3 serves whatever is signed; what is not is refused, as S3 would.
func (l *lab) startS3() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	zeros := make([]byte, 1<<20)
	big := fmt.Sprintf("study-%04d", largest)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.URL.RawQuery, "X-Amz-Signature=") {
			out.WriteHeader(http.StatusForbidden)
			return
		}
		left := small
		if strings.Contains(r.URL.Path, big) {
			left = large
		}
		out.Header().Set("Content-Length", strconv.Itoa(left))
		for left > 0 {
			n, err := out.Write(zeros[:min(left, len(zeros))])
			if err != nil {
				return
			}
			left -= n
		}
	})}
	go func() { _ = server.Serve(listener) }()
	l.s3, l.ends = listener.Addr().String(), append(l.ends, func() { _ = server.Close() })
	return nil
}

func (p *proxy) measure(plan plan) (got throughProxy, err error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: thumbnails, DisableCompression: true}}
	defer client.CloseIdleConnections()
	before, err := cpuOf(p.pids)
	if err != nil {
		return got, err
	}
	oursBefore, err := cpuOf(p.pids[1:])
	if err != nil {
		return got, err
	}
	n, err := p.fetchFor(client, plan.each)
	if err != nil {
		return got, err
	}
	after, err := cpuOf(p.pids)
	if err != nil {
		return got, err
	}
	oursAfter, err := cpuOf(p.pids[1:])
	if err != nil {
		return got, err
	}
	got.cpu, got.ours = float64((after-before).Microseconds())/float64(n), float64((oursAfter-oursBefore).Microseconds())/float64(n)
	got.rate = float64(n) / plan.each.Seconds()
	began := time.Now()
	if err := p.fetch(client, largest, large); err != nil {
		return got, err
	}
	got.stream = large / 1e6 / time.Since(began).Seconds()
	began = time.Now()
	for page := range pages {
		if err := atOnce(thumbnails, func(i int) error { return p.fetch(client, page*thumbnails+i, small) }); err != nil {
			return got, err
		}
	}
	got.page = time.Since(began).Seconds() * 1000 / pages
	return got, nil
}

// fetchFor fetches small objects, eight at a time, and counts them.
func (p *proxy) fetchFor(client *http.Client, d time.Duration) (int64, error) {
	var n atomic.Int64
	end := time.Now().Add(d)
	err := atOnce(8, func(int) error {
		for time.Now().Before(end) {
			if err := p.fetch(client, int(n.Add(1))%largest, small); err != nil {
				return err
			}
		}
		return nil
	})
	return n.Load(), err
}

// atOnce runs something in n goroutines and gives one of their errors.
func atOnce(n int, run func(i int) error) error {
	errs := make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { errs[i] = run(i) })
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// fetch takes one object whole.
func (p *proxy) fetch(client *http.Client, i int, size int64) error {
	response, err := client.Do(p.request(i))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	got, err := io.Copy(io.Discard, response.Body)
	if err == nil && (response.StatusCode != http.StatusOK || got != size) {
		err = fmt.Errorf("object %d: %s, %d bytes", i, response.Status, got)
	}
	return err
}

func cpuOf(pids []int) (total time.Duration, err error) {
	for _, pid := range pids {
		one, err := cpu(pid)
		if err != nil {
			return 0, err
		}
		total += one
	}
	return total, nil
}

// reportProxies prints medians, and the medians of the ratios in each round.
func reportProxies(p plan, all []*proxy) {
	fmt.Printf("%s, %d CPUs, %s; %d rounds of %s, eight at a time; Envoy with one worker\n\n", runtime.Version(), runtime.NumCPU(), time.Now().Format(time.DateOnly), p.rounds, p.each)
	fmt.Println("| Through Envoy | CPU µs/fetch | of it Rolepass | ÷ its own signing | fetches/s | 200 MB, MB/s | ÷ bare | 30 thumbnails | bare ÷ it |\n|---|---|---|---|---|---|---|---|---|")
	bare, own := all[0].results, all[1].results
	for _, one := range all {
		is := func(of func(i int) float64) float64 { return median(p.rounds, of) }
		r := one.results
		fmt.Printf("| %s | %.0f | %.0f | %.2f | %.0f | %.0f | %.2f | %.1f ms | %.2f |\n", one.name,
			is(func(i int) float64 { return r[i].cpu }), is(func(i int) float64 { return r[i].ours }), is(func(i int) float64 { return r[i].cpu / own[i].cpu }),
			is(func(i int) float64 { return r[i].rate }),
			is(func(i int) float64 { return r[i].stream }), is(func(i int) float64 { return r[i].stream / bare[i].stream }),
			is(func(i int) float64 { return r[i].page }), is(func(i int) float64 { return bare[i].page / r[i].page }))
	}
}
