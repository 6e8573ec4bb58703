package stack

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
)

// account of AWS in which the demonstration's roles would be.
const (
	provider  = "arn:aws:iam::111122223333:saml-provider/demo"
	radiology = "arn:aws:iam::111122223333:role/radiology"
	research  = "arn:aws:iam::111122223333:role/research"
	visiting  = "arn:aws:iam::111122223333:role/visiting"
	steward   = "arn:aws:iam::111122223333:role/data-steward"
)

// person is somebody at the identity provider.
type person struct {
	name, email string
	first, last string
	roles       []string
	// quiet keeps the person out of demo.json: a test signs in as them only,
	// who are in Label Studio by a login of its own.
	quiet bool
	// groups are the values of Groups: several, or one with commas in it.
	groups []string
}

// people are the accounts. The contractor's role is one that no grant names;
// the steward's is for Label Studio's side doors and reads next to nothing.
var people = []person{
	{"radiologist", "radiologist@hospital.example", "Rosa", "Diaz", []string{radiology}, false, []string{"Annotators", "Radiology"}},
	{"researcher", "researcher@hospital.example", "Ravi", "Mehta", []string{research}, false, []string{"Annotators,Research"}},
	{"contractor", "contractor@agency.example", "Carl", "Weber", []string{visiting}, false, nil},
	{"steward", "steward@hospital.example", "Sam", "Petrov", []string{steward}, false, nil},
	{"resident", "resident@hospital.example", "Rui", "Costa", []string{radiology}, true, nil},
	{"both", "both@hospital.example", "Bea", "Okafor", []string{radiology, research}, false, nil},
}

// object is one thing in the store.
type object struct {
	uri  string
	body []byte
	// contentType is what the object says it is; empty means nothing.
	contentType string
	// value is what the task says; nil means the object's URI.
	value any
	// more are the task's other objects, when value names several.
	more []object
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
	slides = `<View><Image name="slides" valueList="$slides"/><Choices name="stain" toName="slides"><Choice value="good"/><Choice value="poor"/></Choices></View>`
	signal = `<View><TimeSeriesLabels name="beat" toName="signal"><Label value="early"/><Label value="late"/></TimeSeriesLabels><TimeSeries name="signal" value="$signal" valueType="url" sep="," timeColumn="time"><Channel column="lead"/></TimeSeries></View>`
	html   = `<View><HyperText name="letter" value="$letter"/><Choices name="kind" toName="letter"><Choice value="referral"/><Choice value="report"/></Choices></View>`
	page   = `<View><HyperText name="page" value="$page" valueType="url"/><Choices name="kind" toName="page"><Choice value="referral"/><Choice value="report"/></Choices></View>`
	turns  = `<View><ParagraphLabels name="topic" toName="talk"><Label value="history"/><Label value="plan"/></ParagraphLabels><Paragraphs name="talk" value="$talk" valueType="url" layout="dialogue" nameKey="who" textKey="said"/></View>`
	pdf    = `<View><Pdf name="paper" value="$paper"/><Choices name="use" toName="paper"><Choice value="cite"/><Choice value="drop"/></Choices></View>`
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
		chest.objects = append(chest.objects, object{uri: "s3://imaging/radiology/" + key, body: picture(i)})
	}
	for n := range 40 {
		chest.objects = append(chest.objects, object{uri: fmt.Sprintf("s3://imaging/radiology/2026/chest-%03d.png", n), body: picture(10 + n)})
	}
	study := content{title: "Research", config: images, field: "image", bucket: "imaging", role: research}
	for n := range 12 {
		study.objects = append(study.objects, object{uri: fmt.Sprintf("s3://imaging/anonymised/study-7/case-%02d.png", n), body: picture(60 + n)})
	}
	dictations := content{title: "Dictations", config: audio, field: "audio", bucket: "dictations", role: radiology}
	for n := range 3 {
		dictations.objects = append(dictations.objects, object{uri: fmt.Sprintf("s3://dictations/2026/report %d.wav", n), body: sound(n)})
	}
	ultrasound := content{title: "Ultrasound", config: video, field: "video", bucket: "imaging", role: radiology,
		objects: []object{{uri: "s3://imaging/radiology/ultrasound/loop 1.webm", body: clip}}}
	notes := content{title: "Notes", config: text, field: "text", bucket: "notes", role: research}
	for n := range 5 {
		notes.objects = append(notes.objects, object{uri: fmt.Sprintf("s3://notes/study-7/note-%d.txt", n), body: note(n)})
	}
	return append([]content{chest, study, dictations, ultrasound, notes}, others()...)
})

// others are the media that are rarer, and objects that would do harm if a
// browser ran them. All are for the researchers.
func others() []content {
	microscopy := content{title: "Microscopy", config: slides, field: "slides", bucket: "imaging", role: research}
	for n := range 2 {
		var pages []object
		var uris []string
		for page := range 3 {
			uri := fmt.Sprintf("s3://imaging/anonymised/slides/%d/page %d.png", n, page)
			if page == 2 { // one without an ending
				uri = strings.TrimSuffix(uri, ".png")
			}
			pages, uris = append(pages, object{uri: uri, body: picture(200 + 10*n + page), contentType: "image/png"}), append(uris, uri)
		}
		microscopy.objects = append(microscopy.objects, object{uri: pages[0].uri, body: pages[0].body, value: uris, more: pages[1:]})
	}
	signals := content{title: "Signals", config: signal, field: "signal", bucket: "notes", role: research,
		objects: []object{{uri: "s3://notes/signals/ecg 1.csv", body: curve()}}}
	letters := content{title: "Letters", config: html, field: "letter", bucket: "imaging", role: research}
	first, second := object{uri: "s3://imaging/anonymised/letters/before.png", body: picture(300)}, object{uri: "s3://imaging/anonymised/letters/after.png", body: picture(301)}
	first.value, first.more = `<h2>Dear colleague</h2><p>Before: <img src="`+first.uri+`"/> and after: <img src="`+second.uri+`"/></p>`, []object{second}
	letters.objects = []object{first}
	pages := content{title: "Pages", config: page, field: "page", bucket: "notes", role: research,
		objects: []object{{uri: "s3://notes/pages/visit.html", body: visit}, {uri: "s3://notes/pages/harmful.html", body: []byte("<h1>Visit of 4 March</h1>" + harmful["page.html"])}}}
	talks := content{title: "Conversations", config: turns, field: "talk", bucket: "notes", role: research,
		objects: []object{{uri: "s3://notes/talks/ward round.json", body: talk}}}
	papers := content{title: "Papers", config: pdf, field: "paper", bucket: "notes", role: research,
		objects: []object{{uri: "s3://notes/papers/lungs.pdf", body: paper("Lungs in 2026")}}}
	attachments := content{title: "Attachments", config: text, field: "text", bucket: "notes", role: research}
	for _, name := range slices.Sorted(maps.Keys(harmful)) {
		attachments.objects = append(attachments.objects, object{uri: "s3://notes/attachments/" + name, body: []byte(harmful[name]), contentType: claimed[path.Ext(name)]})
	}
	attachments.objects = append(attachments.objects,
		object{uri: "s3://notes/attachments/page", body: []byte(harmful["page.html"] + "\n"), contentType: "text/html"},
		object{uri: "s3://notes/attachments/script", body: []byte(harmful["script.js"] + "\n"), contentType: "text/javascript"},
		object{uri: "s3://notes/attachments/script.later", body: []byte(harmful["script.js"] + "\n\n"), contentType: "text/javascript"})
	return []content{microscopy, signals, letters, pages, talks, papers, attachments}
}

// outside are objects that are there and that nobody may see: one in a bucket
// and under a prefix that the radiologists read, but in no task, and one in a
// bucket that the configuration does not have; and tasks as JSON, which Label
// Studio's own key may read.
func outside() []object {
	return []object{
		{uri: "s3://imaging/radiology/in-no-task.png", body: picture(99)},
		{uri: "s3://payroll/2026.csv", body: []byte("name,salary\n")},
		{uri: "s3://notes/tasks/batch-1.json", body: []byte(`{"text": "s3://notes/study-7/note-0.txt"}`)},
	}
}

// grantsOf are the grants, as rolepass.yaml has them. The first is narrowed to
// two projects: one by its number, known once it is there, one by its title.
func grantsOf(project map[string]int64) []map[string]any {
	return []map[string]any{
		{"role": radiology, "read": []string{"s3://imaging/radiology/"}, "projects": []int64{project["Radiology"]}, "project_titles": []string{"Ultrasound"}},
		{"role": radiology, "read": []string{"s3://dictations/"}, "anywhere": true},
		{"role": research, "read": []string{"s3://imaging/anonymised/", "s3://notes/"}, "anywhere": true},
		{"role": steward, "read": []string{"s3://imaging/intake/"}, "anywhere": true},
	}
}

// GrantsByNumber are the grants without titles, for a Rolepass that has no
// credential to look them up with.
func (s *Stack) GrantsByNumber() []map[string]any {
	grants := grantsOf(s.projectIDs)
	delete(grants[0], "project_titles")
	grants[0]["projects"] = []int64{s.projectIDs["Radiology"], s.projectIDs["Ultrasound"]}
	return grants
}

// reads are the prefixes of each role in the store itself. They are wider than
// the grants: the session policy that Rolepass asks for narrows them.
var reads = map[string][]string{
	radiology: {"imaging/*", "dictations/*"},
	research:  {"imaging/anonymised/*", "notes/*"},
	visiting:  {"imaging/*"},
	steward:   {"imaging/intake/*"},
}
