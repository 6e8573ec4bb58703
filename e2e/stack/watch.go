package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rolepass/rolepass/e2e/s3guard"
)

// watched is where Watch writes down what it sees.
const watched = "/watched"

// Watch stands before the store and before Label Studio in docker-compose.yml,
// as the guard and the recorder do in a stack without containers, and takes the
// store's own audit.
func Watch(ctx context.Context) error {
	logs := map[string]io.Writer{}
	for _, name := range []string{"s3-requests.log", "label_studio_requests.log", "s3.log"} {
		file, err := os.OpenFile(filepath.Join(watched, name), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
		if err != nil {
			return err
		}
		defer file.Close()
		logs[name] = file
	}
	guard, err := s3guard.New(s3guard.Options{Store: &url.URL{Scheme: "https", Host: "store:9000"}, Region: region, Log: logs["s3-requests.log"]})
	if err != nil {
		return err
	}
	store := &http.Server{Addr: ":9000", Handler: guard, ReadHeaderTimeout: 10 * time.Second}
	app := &http.Server{Addr: ":8080", Handler: recorder(&url.URL{Scheme: "http", Host: "studio:8080"}, logs["label_studio_requests.log"]), ReadHeaderTimeout: 10 * time.Second}
	audit := &http.Server{Addr: ":9100", Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { collect(r, logs["s3.log"]) }), ReadHeaderTimeout: 10 * time.Second}
	group, ctx := errgroup.WithContext(ctx)
	certs := filepath.Join(volumes, "minio", "certs")
	group.Go(func() error {
		return store.ListenAndServeTLS(filepath.Join(certs, "public.crt"), filepath.Join(certs, "private.key"))
	})
	group.Go(app.ListenAndServe)
	group.Go(audit.ListenAndServe)
	group.Go(func() error {
		<-ctx.Done()
		return errors.Join(store.Close(), app.Close(), audit.Close())
	})
	if err := group.Wait(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Forward passes connections on, from an address to another.
func Forward(ctx context.Context, from, to string) error {
	listener, err := net.Listen("tcp", from)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = listener.Close() })()
	for {
		conn, err := listener.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("forwarding: %w", err)
		}
		go forward(conn, to)
	}
}

func forward(conn net.Conn, to string) {
	defer conn.Close()
	other, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer other.Close()
	go func() { _, _ = io.Copy(other, conn); _ = other.Close() }()
	_, _ = io.Copy(conn, other)
}
