package stack

import "strings"

// Demo says where everything is, for people and for scripts. Its JSON is a
// promise: names stay, and new ones may come.
type Demo struct {
	Public      string    `json:"public"`
	Check       string    `json:"check"`
	Admin       string    `json:"admin"`
	IdP         string    `json:"idp"`
	STS         string    `json:"sts"`
	S3          string    `json:"s3"`
	LabelStudio string    `json:"label_studio"`
	Config      string    `json:"config"`
	Accounts    []Account `json:"accounts"`
	Projects    []Project `json:"projects"`
	// Outside are objects that are there and that nobody may see.
	Outside []string          `json:"outside"`
	PIDs    map[string]int    `json:"pids"`
	Logs    map[string]string `json:"logs"`
	// Viewer is another application, where one was started.
	Viewer string `json:"viewer,omitempty"`
}

// Account is somebody who can sign in.
type Account struct {
	Name     string   `json:"name"`
	Password string   `json:"password"`
	Email    string   `json:"email"`
	Roles    []string `json:"roles"`
}

// Project is a project of Label Studio.
type Project struct {
	ID    int64  `json:"id"`
	Title string `json:"title"`
	Tasks []Task `json:"tasks"`
}

// Task is one task with its object; May are the accounts that may see it.
type Task struct {
	ID  int64    `json:"id"`
	URI string   `json:"uri"`
	May []string `json:"may"`
	// More are the other objects of a task that has several.
	More []string `json:"more,omitempty"`
}

// may lists the accounts with a role.
func may(role string) []string {
	names := []string{}
	for _, p := range people {
		for _, has := range p.roles {
			if has == role && !p.quiet {
				names = append(names, p.name)
			}
		}
	}
	return names
}

// password of a person. The demonstration listens on loopback only, and what
// it guards is made up.
func password(name string) string { return "demo-" + name }

func accounts() []Account {
	var all []Account
	for _, p := range people {
		if !p.quiet {
			all = append(all, p.account())
		}
	}
	return all
}

func (p person) account() Account {
	return Account{Name: p.name, Password: password(p.name), Email: p.email, Roles: p.roles}
}

// Resident is an account that demo.json does not name.
func Resident() Account {
	for _, p := range people {
		if p.quiet {
			return p.account()
		}
	}
	return Account{}
}

// describe fills in what was known before anything started.
func (s *Stack) describe() {
	s.Demo.Accounts = accounts()
	s.Demo.PIDs = map[string]int{}
	s.Demo.Logs = map[string]string{}
	for _, name := range []string{"rolepass", "envoy", "samlsts", "minio", "s3", "s3-requests", "sts", "audit", "access", "spans", "label_studio", "label_studio_requests"} {
		s.Demo.Logs[strings.ReplaceAll(name, "-", "_")] = s.Dir + "/" + name + ".log"
	}
	for _, o := range outside() {
		s.Demo.Outside = append(s.Demo.Outside, o.uri)
	}
}
