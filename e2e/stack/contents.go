package stack

import (
	"fmt"
	"sync"
)

// account of AWS in which the demonstration's roles would be.
const (
	provider  = "arn:aws:iam::111122223333:saml-provider/demo"
	radiology = "arn:aws:iam::111122223333:role/radiology"
	research  = "arn:aws:iam::111122223333:role/research"
	visiting  = "arn:aws:iam::111122223333:role/visiting"
)

// person is somebody at the identity provider.
type person struct {
	name, email string
	first, last string
	roles       []string
}

// people are the accounts. The contractor's role is one that no grant names.
var people = []person{
	{"radiologist", "radiologist@hospital.example", "Rosa", "Diaz", []string{radiology}},
	{"researcher", "researcher@hospital.example", "Ravi", "Mehta", []string{research}},
	{"contractor", "contractor@agency.example", "Carl", "Weber", []string{visiting}},
	{"both", "both@hospital.example", "Bea", "Okafor", []string{radiology, research}},
}

// object is one thing in the store.
type object struct {
	uri  string
	body []byte
}

// content is one project with its objects, one task each.
type content struct {
	title  string
	config string // Label Studio's labelling configuration
	field  string // of the task's data
	bucket string
	// role reads the objects.
	role    string
	objects []object
}

const (
	images = `<View><Image name="image" value="$image"/><Choices name="finding" toName="image"><Choice value="clear"/><Choice value="not clear"/></Choices></View>`
	audio  = `<View><Audio name="audio" value="$audio"/><Choices name="quality" toName="audio"><Choice value="good"/><Choice value="poor"/></Choices></View>`
	video  = `<View><Video name="video" value="$video"/><Choices name="kind" toName="video"><Choice value="ultrasound"/><Choice value="other"/></Choices></View>`
	text   = `<View><Text name="text" value="$text" valueType="url"/><Choices name="tone" toName="text"><Choice value="clear"/><Choice value="unclear"/></Choices></View>`
)

// odd are keys that a careless proxy or signer would change on the way.
var odd = []string{
	"red lung+1.png", "lung & chest=2.png", "Größe-Übersicht.png", "50%2F50.png", "a~b(c)!'*,;@$:[d].png",
	"deep/er/than/any/one/would/nest/by/hand/but/somebody/did/lung.png", "日本/肺.png", "hash#tag.png",
}

// contents is what the demonstration holds; drawing it takes a moment, so that
// is done once.
var contents = sync.OnceValue(func() []content {
	chest := content{title: "Radiology", config: images, field: "image", bucket: "imaging", role: radiology}
	for i, key := range odd {
		chest.objects = append(chest.objects, object{"s3://imaging/radiology/" + key, picture(i)})
	}
	for n := range 40 {
		chest.objects = append(chest.objects, object{fmt.Sprintf("s3://imaging/radiology/2026/chest-%03d.png", n), picture(10 + n)})
	}
	study := content{title: "Research", config: images, field: "image", bucket: "imaging", role: research}
	for n := range 12 {
		study.objects = append(study.objects, object{fmt.Sprintf("s3://imaging/anonymised/study-7/case-%02d.png", n), picture(60 + n)})
	}
	dictations := content{title: "Dictations", config: audio, field: "audio", bucket: "dictations", role: radiology}
	for n := range 3 {
		dictations.objects = append(dictations.objects, object{fmt.Sprintf("s3://dictations/2026/report %d.wav", n), sound(n)})
	}
	ultrasound := content{title: "Ultrasound", config: video, field: "video", bucket: "imaging", role: radiology,
		objects: []object{{"s3://imaging/radiology/ultrasound/loop 1.webm", clip}}}
	notes := content{title: "Notes", config: text, field: "text", bucket: "notes", role: research}
	for n := range 5 {
		notes.objects = append(notes.objects, object{fmt.Sprintf("s3://notes/study-7/note-%d.txt", n), note(n)})
	}
	return []content{chest, study, dictations, ultrasound, notes}
})

// outside are objects that are there and that nobody may see: one in a bucket
// and under a prefix that the radiologists read, but in no task, and one in a
// bucket that the configuration does not have.
func outside() []object {
	return []object{
		{"s3://imaging/radiology/in-no-task.png", picture(99)},
		{"s3://payroll/2026.csv", []byte("name,salary\n")},
	}
}

// grantsOf are the grants, as rolepass.yaml has them. The first is narrowed to
// the project, whose number is known once it is there.
func grantsOf(project map[string]int64) []map[string]any {
	return []map[string]any{
		{"role": radiology, "read": []string{"s3://imaging/radiology/"}, "projects": []int64{project["Radiology"], project["Ultrasound"]}},
		{"role": radiology, "read": []string{"s3://dictations/"}, "anywhere": true},
		{"role": research, "read": []string{"s3://imaging/anonymised/", "s3://notes/"}, "anywhere": true},
	}
}

// reads are the prefixes of each role in the store itself. They are wider than
// the grants: the session policy that Rolepass asks for narrows them.
var reads = map[string][]string{
	radiology: {"imaging/*", "dictations/*"},
	research:  {"imaging/anonymised/*", "notes/*"},
	visiting:  {"imaging/*"},
}
