package chart_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// node holds a pod's files below a directory, as a kubelet would mount them.
type node struct {
	root string
	// have are the contents of Secrets and ConfigMaps, by kind/name.
	have map[string]map[string]string
	// moved are the pod's addresses and directories, and what they are here.
	moved *strings.Replacer
}

// newNode makes one. Its path is short, as sockets want it.
func newNode(t *testing.T, have map[string]map[string]string) *node {
	t.Helper()
	root, err := os.MkdirTemp("", "pod")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	return &node{root: root, have: have, moved: strings.NewReplacer(
		"/etc/rolepass", root+"/etc/rolepass", "/run/rolepass", root+"/run/rolepass",
		"0.0.0.0:9001", freeAddress(t), "127.0.0.1:9002", freeAddress(t), "0.0.0.0:9003", freeAddress(t))}
}

// mount writes the volumes of a pod. A file of a Secret may be read by the
// pod's group, as with fsGroup.
func (n *node) mount(t *testing.T, spec *corev1.PodSpec) {
	t.Helper()
	for _, volume := range spec.Volumes {
		dir := filepath.Join(n.root, "volumes", volume.Name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		switch {
		case volume.Secret != nil:
			n.write(t, dir, "Secret/"+volume.Secret.SecretName, volume.Secret.Items, os.FileMode(*volume.Secret.DefaultMode))
		case volume.ConfigMap != nil:
			n.write(t, dir, "ConfigMap/"+volume.ConfigMap.Name, volume.ConfigMap.Items, 0o644)
		case volume.EmptyDir == nil:
			t.Fatalf("the test cannot mount %s", volume.Name)
		}
	}
	for _, container := range append(spec.InitContainers, spec.Containers...) {
		for _, mount := range container.VolumeMounts {
			n.link(t, mount)
		}
	}
}

func (n *node) write(t *testing.T, dir, object string, items []corev1.KeyToPath, mode os.FileMode) {
	t.Helper()
	data, ok := n.have[object]
	if !ok {
		t.Fatalf("the pod waits for %s", object)
	}
	if items == nil {
		for key := range data {
			items = append(items, corev1.KeyToPath{Key: key, Path: key})
		}
	}
	for _, item := range items {
		text, ok := data[item.Key]
		if !ok {
			t.Fatalf("the pod waits for %s of %s", item.Key, object)
		}
		file := filepath.Join(dir, item.Path)
		if err := os.WriteFile(file, []byte(n.moved.Replace(text)), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil { // whatever the umask
			t.Fatal(err)
		}
	}
}

func (n *node) link(t *testing.T, mount corev1.VolumeMount) {
	t.Helper()
	at := filepath.Join(n.root, mount.MountPath)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(n.root, "volumes", mount.Name), at); err != nil && !os.IsExist(err) {
		t.Fatal(err)
	}
}

// args are a container's, with directories as they are here.
func (n *node) args(container corev1.Container) []string {
	var args []string
	for _, arg := range container.Args {
		args = append(args, n.moved.Replace(arg))
	}
	return args
}

// freeAddress is one on loopback that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
