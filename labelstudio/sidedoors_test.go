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
		// Nothing of the kind.
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
