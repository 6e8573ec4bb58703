package labelstudio_test

import (
	"testing"

	"github.com/rolepass/rolepass/labelstudio"
)

func TestSideDoors(t *testing.T) {
	const none = labelstudio.Door("")
	for _, c := range []struct {
		method, target string
		want           labelstudio.Door
	}{
		// Storages: looking is fine, everything else is not.
		{"GET", "/api/storages/s3/?project=12", none},
		{"GET", "/api/storages/s3/3", none},
		{"GET", "/api/storages/types", none},
		{"GET", "/api/storages/export/s3?project=12", none},
		{"POST", "/api/storages/s3/", labelstudio.DoorStorage},
		{"POST", "/api/storages/s3", labelstudio.DoorStorage},
		{"PATCH", "/api/storages/s3/3", labelstudio.DoorStorage},
		{"DELETE", "/api/storages/s3/3", labelstudio.DoorStorage},
		{"POST", "/api/storages/s3/3/sync", labelstudio.DoorStorage},
		{"POST", "/api/storages/s3/validate", labelstudio.DoorStorage},
		{"POST", "/api/storages/s3/files", labelstudio.DoorStorage},
		{"GET", "/api/storages/s3/files?project=12", labelstudio.DoorStorage},
		{"POST", "/api/storages/export/s3/4/sync", labelstudio.DoorStorage},
		{"POST", "/api/storages/gcs/", labelstudio.DoorStorage},
		{"POST", "/api/storages/localfiles/", labelstudio.DoorStorage},
		{"GET", "/api/storages/s3/3/whatever-comes", labelstudio.DoorStorage},
		// In every spelling that something may read as one.
		{"POST", "/API/Storages/s3/", labelstudio.DoorStorage},
		{"POST", "//api//storages//s3/", labelstudio.DoorStorage},
		{"POST", "/api/%73torages/s3/", labelstudio.DoorStorage},
		{"POST", "/static/../api/storages/s3/", labelstudio.DoorStorage},
		{"POST", "/label/api/storages/s3/", labelstudio.DoorStorage},
		{"POST", "/api;x/storages/s3/", labelstudio.DoorStorage},
		// Exports: tasks and annotations are the application's own.
		{"GET", "/api/projects/12/export", none},
		{"GET", "/api/projects/12/export?exportType=JSON&download_all_tasks=true", none},
		{"GET", "/api/projects/12/export?exportType=CSV", none},
		{"GET", "/api/projects/12/export/formats", none},
		{"GET", "/api/projects/12/exports/", none},
		{"POST", "/api/projects/12/exports/", none},
		{"GET", "/api/projects/12/exports/5/download?exportType=JSON", none},
		{"GET", "/api/projects/12/export?exportType=YOLO_WITH_IMAGES", labelstudio.DoorExport},
		{"GET", "/api/projects/12/export?exportType=VOC", labelstudio.DoorExport},
		{"GET", "/api/projects/12/export?exportType=COCO&download_resources=false", labelstudio.DoorExport},
		{"GET", "/api/projects/12/export?exportType=JSON&exportType=VOC", labelstudio.DoorExport},
		{"GET", "/api/projects/12/export?exporttype=VOC", labelstudio.DoorExport},
		{"GET", "/api/projects/12/export?exportType=JSON;exportType=VOC", labelstudio.DoorExport},
		{"GET", "/api/projects/12/export?exportType=%56OC", labelstudio.DoorExport},
		{"POST", "/api/projects/12/exports/5/convert", labelstudio.DoorExport},
		{"GET", "/api/projects/12/exports/5/download?exportType=VOC", labelstudio.DoorExport},
		// Models.
		{"GET", "/api/ml?project=12", none},
		{"POST", "/api/ml/3/interactive-annotating", none},
		{"POST", "/api/ml/", labelstudio.DoorModel},
		{"PATCH", "/api/ml/3", labelstudio.DoorModel},
		{"POST", "/api/ml/3/train", labelstudio.DoorModel},
		// Imports: the body decides.
		{"POST", "/api/projects/12/import", labelstudio.DoorImport},
		{"POST", "/api/projects/12/import?commit_to_project=false", labelstudio.DoorImport},
		{"POST", "/api/projects/12/import/predictions", labelstudio.DoorImport},
		{"POST", "/api/projects/12/reimport", labelstudio.DoorImport},
		{"POST", "/api/projects/12/tasks/bulk/", labelstudio.DoorImport},
		{"POST", "/api/projects/12//%69mport/", labelstudio.DoorImport},
		{"PUT", "/api/projects/12/import", labelstudio.DoorImport},
		{"GET", "/api/projects/12/imports/3/", none},
		{"GET", "/api/projects/12/tasks/", none},
		{"POST", "/api/tasks/", none},
		{"GET", "/api/projects/12/file-uploads", none},
		{"DELETE", "/api/projects/12/file-uploads", none},
		{"GET", "/data/upload/12/a1b2-picture.png", none},
		{"GET", "/data/avatars/me.png", none},
		// Accounts: every member may change every other's.
		{"POST", "/api/users/2/avatar", none},
		{"GET", "/api/users/2/", none},
		{"GET", "/api/organizations/1/memberships?page=1", none},
		{"PATCH", "/api/users/2/", labelstudio.DoorAccount},
		{"PATCH", "/api/users/2", labelstudio.DoorAccount},
		{"PATCH", "/api/users/02/?x=1", labelstudio.DoorAccount},
		{"PATCH", "//api/%75sers/2/", labelstudio.DoorAccount},
		{"DELETE", "/api/users/2/", labelstudio.DoorAccount},
		{"POST", "/api/users", labelstudio.DoorAccount}, // makes a member of any address
		{"POST", "/api/users/", labelstudio.DoorAccount},
		{"POST", "/api/users.json", labelstudio.DoorAccount},
		{"DELETE", "/api/organizations/1/memberships/2/", labelstudio.DoorAccount}, // removes anybody, the owner too
		{"PATCH", "/api/organizations/1", labelstudio.DoorAccount},
		{"PATCH", "/api/users/2.json", labelstudio.DoorAccount},
		{"PATCH", "/api/users/avatar", labelstudio.DoorAccount},
		{"PATCH", "/api/users/2/x/avatar", labelstudio.DoorAccount},
		// Webhooks.
		{"GET", "/api/webhooks/?project=12", none},
		{"GET", "/api/webhooks/info/", none},
		{"POST", "/api/webhooks/", labelstudio.DoorWebhook},
		{"PUT", "/api/webhooks/3/", labelstudio.DoorWebhook},
		{"DELETE", "/api/webhooks/3/", labelstudio.DoorWebhook},
		// Administration.
		{"GET", "/admin", labelstudio.DoorAdministration},
		{"GET", "/admin/io_storages/s3importstorage/1/change/", labelstudio.DoorAdministration},
		{"POST", "/label/admin/login/", labelstudio.DoorAdministration},
		{"GET", "/%61dmin/", labelstudio.DoorAdministration},
		{"GET", "/static/../admin/", labelstudio.DoorAdministration},
		{"GET", "/django-rq/queues/0/", labelstudio.DoorAdministration},
		{"GET", "/static/admin/css/base.css", none},
		{"POST", "/api/jwt/settings", labelstudio.DoorAdministration},
		{"GET", "/api/jwt/settings", none},
		{"POST", "/api/token/", none},
		// Nothing of the kind.
		{"POST", "/api/dm/actions?id=retrieve_tasks_predictions&project=12", none},
		{"POST", "/api/dm/views", none},
		{"GET", "/projects/12/data/import", none},
		{"GET", "/projects/12/settings/webhooks", none},
		{"GET", "/api/tasks?project=12", none},
		{"POST", "/api/tasks/7/annotations", none},
		{"GET", "/projects/12/settings/storage", none},
		{"GET", "/api/projects/12/", none},
		{"POST", "/api/dm/actions?id=delete_tasks&project=12", none},
	} {
		got := labelstudio.Read(c.method, c.target)
		if got.Door != c.want || (got.Kind == labelstudio.SideDoor) != (c.want != none) || c.want == none && got.Kind != labelstudio.App {
			t.Errorf("%s %s: %v %q, want %q (%v)", c.method, c.target, got.Kind, got.Door, c.want, got.Refusal)
		}
	}
}

// What Label Studio would take for the form with an address is none of the
// types that carry the tasks themselves, however the header is written.
func TestWhatAnImportCarries(t *testing.T) {
	for contentType, want := range map[string]bool{
		"application/json":                                     true,
		"application/json; charset=utf-8":                      true,
		"multipart/form-data; boundary=----WebKitFormBoundary": true,
		"":                                  false,
		"application/x-www-form-urlencoded": false,
		"application/X-WWW-Form-URLEncoded": false,
		"application/x-www-form-urlencoded; charset=utf-8":                    false,
		"application/json; x=application/x-www-form-urlencoded":               false,
		"multipart/form-data; boundary=application/x-www-form-urlencoded":     false,
		"multipart/form-data; boundary=\"application/x-www-form-urlencoded\"": false,
		"application/json, application/x-www-form-urlencoded":                 false,
		"application/json,text/plain":                                         false,
		"text/plain":                                                          false,
		"application/json;":                                                   true,
		"application/json; charset":                                           false,
		"; application/json":                                                  false,
	} {
		if got := labelstudio.CarriesTasks(contentType); got != want {
			t.Errorf("%q: %v", contentType, got)
		}
	}
}

// Everybody changes their own account, and that one only.
func TestWhoseAccountIsChanged(t *testing.T) {
	for _, c := range []struct {
		method, target string
		user           int64
		want           bool
	}{
		{"PATCH", "/api/users/2/", 2, true},
		{"PATCH", "/api/users/2", 2, true},
		{"PATCH", "/api/users/2/", 3, false},
		{"PATCH", "/api/users/02/", 2, false},
		{"PATCH", "/api/users/2/?fields=id", 2, false},
		{"PATCH", "/api/users/2/../3/", 2, false},
		{"DELETE", "/api/users/2/", 2, false},
		{"PATCH", "/api/users/0/", 0, false},
	} {
		if got := labelstudio.ChangesAccount(c.method, c.target, c.user); got != c.want {
			t.Errorf("%s %s by user %d: %v", c.method, c.target, c.user, got)
		}
	}
}
