package e2e_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// nginxPatience is how long nginx may take to start and to end.
const nginxPatience = 20 * time.Second

// nginxRules are those of Label Studio's image, as far as they choose what a
// request becomes: files below four folders, one icon, a health check, and
// everything else to the application. The slash behind the last address makes
// nginx send the path as it understood it, decoded and without dot segments,
// and not as it came.
const nginxRules = `
daemon off;
master_process off;
pid %[1]s/nginx.pid;
error_log stderr;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	keepalive_requests 10000;
	upstream label_studio {
		server %[2]s;
		keepalive 8;
	}
	server {
		listen unix:%[1]s/nginx.sock;
		location /static/ { alias %[1]s/static/; }
		location /label-studio-frontend/ { alias %[1]s/static/; }
		location /dm/ { alias %[1]s/static/; }
		location /react-app/ { alias %[1]s/static/; }
		location /nginx_health { return 200; }
		location = /favicon.ico { alias %[1]s/static/favicon.ico; }
		location / {
			proxy_http_version 1.1;
			proxy_set_header Connection '';
			proxy_set_header Host $host;
			proxy_redirect off;
			proxy_pass http://label_studio/;
		}
	}
}
`

// nginx puts nginx with Label Studio's rules before the Label Studio at an
// address, until the test ends, and gives its socket.
func nginx(t *testing.T, labelStudio string) string {
	t.Helper()
	program := os.Getenv("ROLEPASS_NGINX")
	if program == "" {
		t.Fatal("ROLEPASS_NGINX does not name nginx: run through make test, which finds it")
	}
	dir, err := os.MkdirTemp("", "nginx") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	config, socket := filepath.Join(dir, "nginx.conf"), filepath.Join(dir, "nginx.sock")
	if err := os.WriteFile(config, fmt.Appendf(nil, nginxRules, dir, labelStudio), 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := os.Create(filepath.Join(dir, "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	cmd := exec.Command(program, "-e", "stderr", "-p", dir, "-c", config)
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting nginx: %v", err)
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(nginxPatience):
			_ = cmd.Process.Kill()
			<-exited
		}
	})
	deadline, tick := time.After(nginxPatience), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			_ = conn.Close()
			return socket
		}
		select {
		case <-tick.C:
			continue
		case <-exited:
		case <-deadline:
		}
		text, _ := os.ReadFile(said.Name())
		t.Fatalf("nginx does not listen (%v); it said:\n%s", err, text)
	}
}
