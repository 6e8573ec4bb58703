package recent

// NewSmallRecords makes Records with segments of some size, so that a test fills
// many.
func NewSmallRecords(segmentSize int) *Records { return newRecords(segmentSize) }

// Taken are the segments, with what stands in them beyond their ends.
func (r *Records) Taken() (segments [][]byte) {
	for _, s := range r.segments.all {
		segments = append(segments, s.bytes[:cap(s.bytes)])
	}
	return append(segments, r.segments.spare[:cap(r.segments.spare)])
}
