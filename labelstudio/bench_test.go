package labelstudio_test

import (
	"testing"

	"github.com/rolepass/rolepass/labelstudio"
)

func BenchmarkRead(b *testing.B) {
	for name, target := range map[string]string{
		"fetch":   "/tasks/3/resolve/?fileuri=" + red,
		"app":     "/api/tasks?page=1&page_size=30&view=2&project=12",
		"escaped": "/data/upload/3/ab12-red%20lung.png",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if labelstudio.Read("GET", target).Kind == labelstudio.Refused {
					b.Fatal("refused")
				}
			}
		})
	}
}
