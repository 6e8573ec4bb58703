package labelstudio

import "github.com/rolepass/rolepass/refusal"

// Codes of a Refused reading.
const (
	// CodeTarget: the request target is not a path, or has bytes that no
	// browser sends (controls, spaces, '#', anything beyond ASCII).
	CodeTarget refusal.Code = "target_malformed"
	// CodePath: the path's escapes are nested, do not decode to text, or it
	// is longer than any path of the application.
	CodePath refusal.Code = "path_malformed"
	// CodeMethod: not a method that the application has.
	CodeMethod refusal.Code = "method_unknown"
	// CodeFetchMethod: a fetch with a method other than GET and HEAD.
	CodeFetchMethod refusal.Code = "fetch_method"
	// CodeFetchPath: some reading takes the path for a fetch, ours does not.
	CodeFetchPath refusal.Code = "fetch_path"
	// CodeFetchQuery: a parameter beside fileuri that is not plain.
	CodeFetchQuery refusal.Code = "fetch_query"
	// CodeFileURIMissing: no fileuri, or an empty one.
	CodeFileURIMissing refusal.Code = "fileuri_missing"
	// CodeFileURIRepeated: more than one, counting other spellings.
	CodeFileURIRepeated refusal.Code = "fileuri_repeated"
	// CodeFileURIEncoding: not the canonical URL-safe base64 of text.
	CodeFileURIEncoding refusal.Code = "fileuri_encoding"
	// CodeFileURILegacy: percent-encoded instead of base64. Label Studio
	// still reads that form and no longer writes it.
	CodeFileURILegacy refusal.Code = "fileuri_legacy"
	// CodeFileURICloud: an object of another cloud (gs, azure-blob).
	CodeFileURICloud refusal.Code = "fileuri_cloud"
	// CodeFileURILocation: base64 of something that is no exact s3:// URI.
	CodeFileURILocation refusal.Code = "fileuri_location"
	// CodeLocalFiles: a file on Label Studio's own disk.
	CodeLocalFiles refusal.Code = "local_files"
	// CodeAppMedia: an object in Label Studio's own upload bucket, which it
	// serves with its own key.
	CodeAppMedia refusal.Code = "app_media"
	// CodeDestination: the browser wants to run or embed the object.
	CodeDestination refusal.Code = "fetch_destination"
)

func malformed(code refusal.Code, sentence string) *refusal.Refusal {
	return refusal.New(refusal.Malformed, code, "%s", sentence)
}
