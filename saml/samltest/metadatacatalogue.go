package samltest

// MetadataVector is an IdP's metadata that has to be refused, beside one that
// has to be accepted: what [Vector] is for responses.
type MetadataVector struct {
	// Name and After are as a Vector's.
	Name, After string
	// Says are words of the reason, which metadata is refused with instead of
	// a code.
	Says string
	// Sibling makes the scene's metadata into the document that is accepted.
	Sibling func([]byte) []byte
	// Change is the one mutation.
	Change func([]byte) []byte
	// STS says why an STS accepts it all the same. Empty: it refuses too.
	STS string
}

// Accepted is the vector's sibling.
func (v MetadataVector) Accepted(idp *IdP) []byte {
	if v.Sibling == nil {
		return idp.Metadata()
	}
	return v.Sibling(idp.Metadata())
}

// Refused is the vector itself.
func (v MetadataVector) Refused(idp *IdP) []byte { return v.Change(v.Accepted(idp)) }

// MetadataCatalogue is every vector of metadata.
func MetadataCatalogue() []MetadataVector {
	var list []MetadataVector
	for _, family := range []func() []MetadataVector{metadataDocumentVectors, metadataEndpointVectors, metadataKeyVectors} {
		for _, v := range family() {
			v.Name = "metadata/" + v.Name
			list = append(list, v)
		}
	}
	return list
}
