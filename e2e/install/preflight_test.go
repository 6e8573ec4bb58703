package main

import (
	"errors"
	"strings"
	"testing"
)

// goodMachine has everything, with python3 and chromium in the usual places.
func goodMachine() machine {
	return machine{
		os: "linux", arch: "amd64", goVersion: version{1, 26, 6}, distribution: "debian",
		getenv:  func(string) string { return "" },
		program: programs("python3", "chromium", "nginx", "redis-server", "xmlsec1"),
		python:  func(path string) (python, error) { return goodPython(path), nil },
		free:    func(string) (uint64, error) { return 100 << 30, nil },
	}
}

func goodPython(path string) python {
	return python{path: path, version: version{3, 11, 2}, venv: true, libc: "glibc"}
}

func programs(names ...string) func(string) (string, bool) {
	return func(asked string) (string, bool) {
		for _, name := range names {
			if asked == name {
				return "/usr/bin/" + strings.TrimPrefix(name, "/"), true
			}
		}
		return "", false
	}
}

var everything = wants{goVersion: version{1, 26, 6}, tests: true, cache: "/c", disk: 4 << 30}

func TestPreflightFindsWhatIsThere(t *testing.T) {
	found, problems := preflight(goodMachine(), everything)
	if len(problems) > 0 || found.python.path != "/usr/bin/python3" || found.browser != "/usr/bin/chromium" || found.nginx != "/usr/bin/nginx" || found.valkey != "/usr/bin/redis-server" {
		t.Errorf("found %+v, problems %+v", found, problems)
	}
}

// A machine may have both.
func TestValkeyIsTakenBeforeRedis(t *testing.T) {
	m := goodMachine()
	m.program = programs("python3", "chromium", "nginx", "redis-server", "valkey-server", "xmlsec1")
	if found, problems := preflight(m, everything); len(problems) > 0 || found.valkey != "/usr/bin/valkey-server" {
		t.Errorf("found %+v, problems %+v", found, problems)
	}
}

func TestPreflightNamesEverythingAtOnce(t *testing.T) {
	m := goodMachine()
	m.arch = "386"
	m.goVersion = version{1, 25, 9}
	m.program = programs()
	m.free = func(string) (uint64, error) { return 1 << 30, nil }
	_, problems := preflight(m, everything)
	got := report(problems)
	for _, want := range []string{
		"no build of Envoy for linux on 386", "Go 1.25.9 is older than 1.26.6", "no Python 3.10 to 3.13", "1.0 GiB free, and 4.0 GiB are needed", "no Chromium or Chrome", "no nginx", "no valkey-server or redis-server", "no xmlsec1", "sudo apt-get install xmlsec1",
		"sudo apt-get install python3 python3-venv", "sudo apt-get install chromium", "sudo apt-get install nginx", "sudo apt-get install redis-server", "https://go.dev/dl/", "ROLEPASS_CACHE",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the report does not say %q:\n%s", want, got)
		}
	}
	if len(problems) != 8 {
		t.Errorf("%d problems, want 8", len(problems))
	}
}

func TestPreflight(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*machine)
		says   string // "" for no problem
	}{
		"arm64":                {func(m *machine) { m.arch = "arm64" }, ""},
		"macOS 15.5":           {func(m *machine) { m.os, m.arch, m.osVersion = "darwin", "arm64", version{15, 5} }, ""},
		"macOS 15.4":           {func(m *machine) { m.os, m.arch, m.osVersion = "darwin", "arm64", version{15, 4} }, "macOS 15.4"},
		"macOS on Intel":       {func(m *machine) { m.os, m.osVersion = "darwin", version{15, 5} }, "no build of Envoy for darwin on amd64"},
		"Windows":              {func(m *machine) { m.os = "windows" }, "a virtual machine or a container"},
		"Go of one's own":      {func(m *machine) { m.goVersion = nil }, ""},
		"Python 3.9":           {func(m *machine) { m.python = pythonOf(version{3, 9, 18}) }, "is Python 3.9.18"},
		"Python 3.14":          {func(m *machine) { m.python = pythonOf(version{3, 14, 0}) }, "is Python 3.14.0"},
		"Python without venv":  {func(m *machine) { m.python = pythonBut(func(p *python) { p.venv = false }) }, "sudo apt-get install python3-venv"},
		"musl":                 {func(m *machine) { m.python = pythonBut(func(p *python) { p.libc = "" }) }, "glibc"},
		"a Python that breaks": {func(m *machine) { m.python = func(string) (python, error) { return python{}, errors.New("no") } }, "no Python 3.10"},
		"an older one beside": {func(m *machine) {
			m.program = programs("python3", "python3.12", "chromium", "nginx", "redis-server", "xmlsec1")
			m.python = func(path string) (python, error) {
				if path == "/usr/bin/python3" {
					return python{path: path, version: version{3, 9}, venv: true, libc: "glibc"}, nil
				}
				return goodPython(path), nil
			}
		}, ""},
		"Chrome in its place": {func(m *machine) { m.program = programs("python3", browsers[6], nginxes[1], "redis-server", "xmlsec1") }, ""},
		"a browser that is named": {func(m *machine) {
			m.program = programs("python3", "/opt/b", "nginx", "redis-server", "xmlsec1")
			m.getenv = named("/opt/b")
		}, ""},
		"a named one is not there": {func(m *machine) { m.getenv = named("/opt/b") }, `ROLEPASS_BROWSER names "/opt/b"`},
		"no nginx":                 {func(m *machine) { m.program = programs("python3", "chromium", "redis-server", "xmlsec1") }, "there is no nginx"},
		"no shared state":          {func(m *machine) { m.program = programs("python3", "chromium", "nginx", "xmlsec1") }, "sudo apt-get install redis-server"},
		"no shared state on Fedora": {func(m *machine) {
			m.distribution = "fedora"
			m.program = programs("python3", "chromium", "nginx", "xmlsec1")
		}, "sudo dnf install valkey"},
		"a disk that says nothing": {func(m *machine) { m.free = func(string) (uint64, error) { return 0, errors.New("no") } }, "cannot be read"},
		"a distribution of nowhere": {func(m *machine) {
			m.distribution = "nowhere"
			m.program = programs("python3", "nginx", "redis-server", "xmlsec1")
		}, "the system's package manager"},
		"a Mac without a browser": {func(m *machine) {
			m.os, m.arch, m.osVersion, m.program = "darwin", "arm64", version{26}, programs("python3", "nginx", "redis-server", "xmlsec1")
		}, "brew install --cask google-chrome"},
		"no second verifier": {func(m *machine) { m.program = programs("python3", "chromium", "nginx", "redis-server") }, "sudo apt-get install xmlsec1"},
	} {
		t.Run(name, func(t *testing.T) {
			m := goodMachine()
			c.change(&m)
			_, problems := preflight(m, everything)
			got := report(problems)
			if c.says == "" && len(problems) > 0 || c.says != "" && (len(problems) != 1 || !strings.Contains(got, c.says)) {
				t.Errorf("says %s", got)
			}
		})
	}
}

func pythonOf(v version) func(string) (python, error) {
	return pythonBut(func(p *python) { p.version = v })
}

func pythonBut(change func(*python)) func(string) (python, error) {
	return func(path string) (python, error) {
		p := goodPython(path)
		change(&p)
		return p, nil
	}
}

func named(path string) func(string) string {
	return func(variable string) string {
		if variable == "ROLEPASS_BROWSER" {
			return path
		}
		return ""
	}
}

func TestTheDemonstrationNeedsNothingOfTheTests(t *testing.T) {
	m := goodMachine()
	m.program = programs("python3")
	w := everything
	w.tests = false
	if found, problems := preflight(m, w); len(problems) > 0 || found.browser != "" || found.nginx != "" || found.valkey != "" {
		t.Errorf("found %+v, problems %+v", found, problems)
	}
}

func TestDistribution(t *testing.T) {
	for text, want := range map[string]string{
		"NAME=\"Debian GNU/Linux\"\nID=debian\nVERSION_ID=\"12\"\n": "debian",
		"ID=\"opensuse-tumbleweed\"\n":                              "opensuse-tumbleweed",
		"VERSION_ID=1\n":                                            "",
	} {
		if got := distribution(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// The one test that looks at this machine: the tests run on one that fits.
func TestThisMachineCanTell(t *testing.T) {
	m := thisMachine(t.Context())
	found, problem := m.findPython()
	if problem != nil || found.path == "" || !found.version.atLeast(minPython) {
		t.Errorf("found %+v, problem %+v", found, problem)
	}
	if free, err := m.free(t.TempDir()); err != nil || free == 0 {
		t.Errorf("free: %d, %v", free, err)
	}
}
