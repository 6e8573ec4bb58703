package main

import (
	"fmt"
	"strings"
)

// What the pinned parts need: the wheels of Envoy are for glibc and for macOS
// 15.5, the requirements of Label Studio are for these versions of Python.
var (
	minMacOS  = version{15, 5}
	minPython = version{3, 10}
	endPython = version{3, 14} // the first that is too new
)

// pythons are the names under which a fitting interpreter may be found; the
// system's own comes first.
var pythons = []string{"python3", "python3.13", "python3.12", "python3.11", "python3.10"}

// browsers are the usual names and places of Chromium and Chrome.
var browsers = []string{
	"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
	"/Applications/Chromium.app/Contents/MacOS/Chromium",
	"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
	"/snap/bin/chromium",
}

// nginxes are the usual names and places of nginx; Debian keeps it from the
// path of ordinary users.
var nginxes = []string{"nginx", "/usr/sbin/nginx", "/usr/local/sbin/nginx", "/opt/homebrew/bin/nginx"}

// valkeys are the usual names and places of a server that speaks Valkey's
// protocol. Valkey itself comes first; Debian 12 has only Redis 7.
var valkeys = []string{
	"valkey-server", "/usr/sbin/valkey-server", "/usr/local/sbin/valkey-server", "/opt/homebrew/bin/valkey-server",
	"redis-server", "/usr/sbin/redis-server", "/usr/local/sbin/redis-server", "/opt/homebrew/bin/redis-server",
}

// wants is what the machine must offer.
type wants struct {
	goVersion version
	tests     bool // also what only the tests run
	idps      bool
	cache     string // the folder that disk is about
	disk      uint64 // bytes
}

// finds is what preflight looked up on the way.
type finds struct {
	python python
	// browser, nginx and valkey are "" if there is none.
	browser, nginx, valkey string
}

// problem is something that is missing, and what to do about it.
type problem struct{ what, todo string }

// preflight holds the machine against what is wanted. It stops at nothing, so
// that all problems are reported at once.
func preflight(m machine, w wants) (finds, []problem) {
	var found finds
	var problems []problem
	note := func(p *problem) {
		if p != nil {
			problems = append(problems, *p)
		}
	}
	note(m.checkSystem())
	note(m.checkGo(w.goVersion))
	var p *problem
	found.python, p = m.findPython()
	note(p)
	note(m.checkDisk(w))
	if found.browser, p = m.findBrowser(); w.tests {
		note(p)
	}
	if found.nginx, p = m.findNginx(); w.tests {
		note(p)
	}
	if found.valkey, p = m.findValkey(); w.tests {
		note(p)
	}
	if _, found := m.program("xmlsec1"); w.tests && !found {
		note(&problem{"there is no xmlsec1, which verifies in the tests what Rolepass accepts", m.advise("xmlsec1", "xmlsec1", "libxmlsec1")})
	}
	if w.idps {
		problems = append(problems, m.checkIdPs()...)
	}
	return found, problems
}

func report(problems []problem) string {
	var b strings.Builder
	b.WriteString("This machine lacks something. Once this is in order, run the same command again:\n")
	for _, p := range problems {
		fmt.Fprintf(&b, "  - %s\n    %s\n", p.what, p.todo)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (m machine) checkSystem() *problem {
	todo := "Use Linux on x86_64 or arm64, or macOS 15.5 or later on Apple silicon; a virtual machine or a container with Debian or Ubuntu serves as well."
	switch {
	case m.os == "darwin" && m.arch == "arm64":
		if m.osVersion != nil && !m.osVersion.atLeast(minMacOS) {
			return &problem{fmt.Sprintf("macOS %v: Envoy's build needs %v or later", m.osVersion, minMacOS), "Update macOS, or use a virtual machine with Debian or Ubuntu."}
		}
	case m.os != "linux", m.arch != "amd64" && m.arch != "arm64":
		return &problem{fmt.Sprintf("there is no build of Envoy for %s on %s", m.os, m.arch), todo}
	}
	return nil
}

func (m machine) checkGo(wanted version) *problem {
	if m.goVersion == nil || m.goVersion.atLeast(wanted) { // nil: a development build of Go
		return nil
	}
	return &problem{fmt.Sprintf("Go %v is older than %v", m.goVersion, wanted), "Install Go from https://go.dev/dl/."}
}

// findPython takes the first interpreter that fits. Without one, it says what
// is wrong with the nearest.
func (m machine) findPython() (python, *problem) {
	var near *problem
	for _, name := range pythons {
		path, found := m.program(name)
		if !found {
			continue
		}
		p, err := m.python(path)
		if err != nil {
			continue
		}
		wrong := m.checkPython(p)
		if wrong == nil {
			return p, nil
		}
		if near == nil {
			near = wrong
		}
	}
	if near == nil {
		near = &problem{fmt.Sprintf("there is no Python %v to 3.%d", minPython, endPython[1]-1), m.advise("python3 python3-venv", "python3", "python@3.13")}
	}
	return python{}, near
}

func (m machine) checkPython(p python) *problem {
	switch {
	case !p.version.atLeast(minPython), p.version.atLeast(endPython):
		return &problem{fmt.Sprintf("%s is Python %v: Label Studio's pinned packages are for %v to 3.%d", p.path, p.version, minPython, endPython[1]-1),
			"Install one of these beside it, so that it is found as " + strings.Join(pythons[1:], ", ") + "."}
	case !p.venv:
		return &problem{p.path + " cannot make virtual environments: its module venv or ensurepip is missing", m.advise("python3-venv", "python3", "python@3.13")}
	case m.os == "linux" && p.libc != "glibc":
		return &problem{p.path + " is not built for glibc, as the builds of Envoy are", "Use a distribution with glibc, such as Debian or Ubuntu; Alpine has musl."}
	}
	return nil
}

func (m machine) checkDisk(w wants) *problem {
	free, err := m.free(w.cache)
	switch {
	case err != nil:
		return &problem{fmt.Sprintf("the free space of %s cannot be read: %v", w.cache, err), "Set ROLEPASS_CACHE to a folder on a local disk."}
	case free < w.disk:
		return &problem{fmt.Sprintf("%s has %.1f GiB free, and %.1f GiB are needed", w.cache, gib(free), gib(w.disk)), "Free some, or set ROLEPASS_CACHE to a folder on a larger disk."}
	}
	return nil
}

func gib(bytes uint64) float64 { return float64(bytes) / (1 << 30) }

func (m machine) findNginx() (string, *problem) {
	for _, name := range nginxes {
		if path, found := m.program(name); found {
			return path, nil
		}
	}
	return "", &problem{"there is no nginx, which the tests put before Label Studio", m.advise("nginx", "nginx", "nginx")}
}

func (m machine) findValkey() (string, *problem) {
	for _, name := range valkeys {
		if path, found := m.program(name); found {
			return path, nil
		}
	}
	return "", &problem{"there is no valkey-server or redis-server, in which the tests share state", m.advise("redis-server", "valkey", "valkey")}
}

func (m machine) findBrowser() (string, *problem) {
	if named := m.getenv("ROLEPASS_BROWSER"); named != "" {
		if path, found := m.program(named); found {
			return path, nil
		}
		return "", &problem{fmt.Sprintf("ROLEPASS_BROWSER names %q, which is no program", named), "Correct the variable, or unset it to have the usual places searched."}
	}
	for _, name := range browsers {
		if path, found := m.program(name); found {
			return path, nil
		}
	}
	return "", &problem{"there is no Chromium or Chrome, which the tests drive", m.advise("chromium", "chromium", "--cask google-chrome") + " Elsewhere, set ROLEPASS_BROWSER to its path."}
}

// advise says which command would install packages here, by their names in
// Debian, in other distributions, and in Homebrew.
func (m machine) advise(debian, other, homebrew string) string {
	command := map[string]string{
		"debian": "sudo apt-get install " + debian, "ubuntu": "sudo apt-get install " + debian,
		"fedora": "sudo dnf install " + other, "arch": "sudo pacman -S " + other,
		"opensuse-tumbleweed": "sudo zypper install " + other,
	}[m.distribution]
	switch {
	case m.os == "darwin":
		command = "brew install " + homebrew
	case command == "":
		return "Install it with the system's package manager (in Debian: apt-get install " + debian + ")."
	}
	return "Install it: " + command + "."
}
