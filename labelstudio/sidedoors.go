package labelstudio

import (
	"mime"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Door is a part of the application in which it reads S3 with its own key, or
// sends data where a member tells it to. A person's roles have no say there, so
// such a request is for administrators only. The empty string is none.
type Door string

const (
	// DoorStorage: making, changing, validating, listing and synchronising
	// storages. A storage without keys takes those of Label Studio itself, of
	// any bucket; synchronising reads objects into tasks.
	DoorStorage Door = "storage"
	// DoorExport: exports that pack media, which Label Studio fetches as the
	// organization's owner.
	DoorExport Door = "export"
	// DoorModel: connecting a model, to whose address Label Studio then sends
	// tasks and a token.
	DoorModel Door = "model"
	// DoorImport: importing tasks. The body may name an address instead, from
	// which Label Studio then reads, as a machine inside: CarriesTasks tells.
	DoorImport Door = "import"
	// DoorWebhook: webhooks, to whose addresses Label Studio sends tasks and
	// annotations.
	DoorWebhook Door = "webhook"
	// DoorAdministration: Django's administration of the whole database,
	// storages with it, and of the background jobs; and the switch for
	// everybody's API tokens, with the owner's of which exports are packed.
	DoorAdministration Door = "administration"
	// DoorAccount: making or changing an account, or removing it from the
	// organization, which Label Studio lets every member do to every other's.
	// The username holds by whom Rolepass opens it.
	DoorAccount Door = "account"
)

// plainExports are the formats that hold the tasks and annotations and never
// fetch what the tasks name.
var plainExports = []string{"JSON", "JSON_MIN", "CSV", "TSV"}

// asking is a request, of which every form of the path is looked at. The query is
// read once at most, however many of them could be an export.
type asking struct {
	method, query string
	read, plain   bool
}

// sideDoor says which door a form of a path is, if any. Like door, it looks
// anywhere in the path and in any case.
func (a *asking) sideDoor(parts []string) Door {
	var folded []string
	for i := range parts {
		if oneOf(parts[i], "admin", "django-rq") && (i == 0 || !strings.EqualFold(parts[i-1], "static")) {
			return DoorAdministration
		}
		if !strings.EqualFold(parts[i], "api") || i+1 >= len(parts) {
			continue
		}
		if folded == nil {
			folded = lower(parts)
		}
		if d := a.behindAPI(folded[i+1:]); d != "" {
			return d
		}
	}
	return ""
}

func lower(parts []string) []string {
	if !slices.ContainsFunc(parts, func(part string) bool { return strings.ToLower(part) != part }) {
		return parts
	}
	out := make([]string, len(parts))
	for i, part := range parts {
		out[i] = strings.ToLower(part)
	}
	return out
}

// behindAPI reads what follows /api/.
func (a *asking) behindAPI(parts []string) Door {
	method := a.method
	reads := method == "GET" || method == "HEAD" || method == "OPTIONS"
	switch {
	case parts[0] == "storages" && !(reads && lists(parts[1:])):
		return DoorStorage
	case parts[0] == "ml" && !reads && parts[len(parts)-1] != "interactive-annotating":
		return DoorModel
	case parts[0] == "jwt" && !reads:
		return DoorAdministration
	case (parts[0] == "users" || strings.HasPrefix(parts[0], "users.")) && !reads && !(len(parts) == 3 && strings.HasPrefix(parts[2], "avatar")): // which is one's own
		return DoorAccount
	case parts[0] == "organizations" && !reads: // where every member may remove the others
		return DoorAccount
	case parts[0] == "webhooks" && !reads:
		return DoorWebhook
	case parts[0] == "projects" && len(parts) >= 3 && a.exports(parts[2:]):
		return DoorExport
	case parts[0] == "projects" && len(parts) >= 3 && !reads && imports(parts[2:]):
		return DoorImport
	}
	return ""
}

// lists says that what follows /api/storages/ only shows storages and their
// forms, without keys: kinds, numbers, "types", "form", "export".
func lists(parts []string) bool {
	for _, part := range parts {
		_, err := strconv.ParseUint(part, 10, 63)
		if err != nil && !slices.Contains([]string{"s3", "gcs", "azure", "redis", "localfiles", "export", "types", "form"}, part) {
			return false
		}
	}
	return true
}

// InAPI says that a target is the application's API, written plainly: nothing
// that any server may read as another path.
func InAPI(target string) bool {
	path, _, _ := strings.Cut(target, "?")
	return strings.HasPrefix(path, "/api/") && plain(path) && text(path) && !strings.Contains(path, "//")
}

// GivesToken says that a request exchanges a personal access token in its body
// for one that the API takes, which needs no other credential.
func GivesToken(method, target string) bool {
	return method == "POST" && (target == "/api/token/refresh" || target == "/api/token/refresh/")
}

// ChangesAccount says that a request, written plainly, changes the account of
// this number.
func ChangesAccount(method, target string, user int64) bool {
	own := "/api/users/" + strconv.FormatInt(user, 10)
	return user > 0 && method == "PATCH" && (target == own || target == own+"/")
}

// imports says that what follows /api/projects/<id>/ makes tasks.
func imports(parts []string) bool {
	return parts[0] == "import" || parts[0] == "reimport" || parts[0] == "tasks" && len(parts) > 1
}

// CarriesTasks says, by its Content-Type, that the body of an import holds the
// tasks, as JSON or as files, and cannot name an address. Label Studio looks
// for "application/x-www-form-urlencoded" anywhere in the header and then reads
// from the address in the body's "url", whatever else the header says; so only
// the two types that its pages and clients send are taken, with nothing of
// that in them.
func CarriesTasks(contentType string) bool {
	if strings.Contains(strings.ToLower(contentType), "urlencoded") || strings.Contains(contentType, ",") {
		return false
	}
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && (kind == "application/json" || kind == "multipart/form-data")
}

// exports says that what follows /api/projects/<id>/ may pack media.
func (a *asking) exports(parts []string) bool {
	last := parts[len(parts)-1]
	switch {
	case parts[0] == "export" && len(parts) == 1:
		return !a.plainExport()
	case parts[0] == "export":
		return last != "formats"
	case parts[0] == "exports" && len(parts) >= 3: // of one snapshot
		return last != "download" || a.method != "GET" || !a.plainExport()
	}
	return false
}

func (a *asking) plainExport() bool {
	if !a.read {
		a.read, a.plain = true, plainExport(a.query)
	}
	return a.plain
}

// plainExport says that the query asks for one plain format; without one it is
// JSON. A query that cannot be read strictly asks for who knows what.
func plainExport(query string) bool {
	values, err := url.ParseQuery(query)
	if err != nil || strings.Contains(query, ";") {
		return false
	}
	formats := 0
	for name, given := range values {
		if !strings.EqualFold(name, "exportType") && !strings.EqualFold(name, "export_type") {
			continue
		}
		formats += len(given)
		if name != "exportType" || !slices.Contains(plainExports, given[0]) {
			return false
		}
	}
	return formats <= 1
}
