package stack

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"
)

// clip is six seconds of a test picture (160 x 120, VP8 in WebM), made once by
// ffmpeg: testsrc=size=160x120:rate=10:duration=6, libvpx, 40 kbit/s, a key
// frame each second, so that there is something to seek in.
//
//go:embed testdata/clip.webm
var clip []byte

// picture draws something like an X-ray, different for each number.
func picture(n int) []byte {
	const width, height = 320, 240
	img := image.NewGray(image.Rect(0, 0, width, height))
	cx, tilt := 150+float64(n%5)*6, float64(n%7)*0.03
	for y := range height {
		for x := range width {
			fx, fy := float64(x), float64(y)
			value := 25 + 12*math.Sin(fx/19+float64(n)) + 8*math.Cos(fy/11)
			for _, side := range []float64{-1, 1} { // two lungs
				dx, dy := (fx-cx-side*62-tilt*fy)/48, (fy-120)/92
				if r := dx*dx + dy*dy; r < 1 {
					value += 120 * (1 - r)
				}
			}
			if math.Mod(fy+12*math.Sin(fx/40)+float64(n), 24) < 5 { // ribs
				value += 38
			}
			spot := math.Hypot(fx-(90+float64((n*37)%140)), fy-(70+float64((n*53)%100)))
			if spot < 7+float64(n%6) {
				value += 70
			}
			img.SetGray(x, y, color.Gray{Y: uint8(min(max(value, 0), 255))})
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		panic(err) // a buffer takes everything
	}
	return out.Bytes()
}

// sound is three seconds of a tone (WAV, PCM, 16 bit, mono, 8 kHz).
func sound(n int) []byte {
	const rate, seconds = 8000, 3
	samples := make([]int16, rate*seconds)
	for i := range samples {
		t := float64(i) / rate
		samples[i] = int16(9000 * math.Sin(2*math.Pi*(220+40*float64(n))*t) * math.Exp(-t/2))
	}
	var out bytes.Buffer
	le := func(v any) { _ = binary.Write(&out, binary.LittleEndian, v) }
	out.WriteString("RIFF")
	le(uint32(36 + 2*len(samples)))
	out.WriteString("WAVEfmt ")
	le(uint32(16))
	le([]uint16{1, 1})
	le([]uint32{rate, 2 * rate})
	le([]uint16{2, 16})
	out.WriteString("data")
	le(uint32(2 * len(samples)))
	le(samples)
	return out.Bytes()
}

// note is a short report.
func note(n int) []byte {
	return []byte(fmt.Sprintf("Report %d\n\n%s\n", n, strings.Repeat("The lungs are clear. No focal consolidation, no effusion. ", 6)))
}

// curve is a minute of a heart, 50 times a second (CSV).
func curve() []byte {
	var out bytes.Buffer
	out.WriteString("time,lead\n")
	for i := range 3000 {
		t := float64(i) / 50
		beat := math.Mod(t, 0.8) / 0.8
		fmt.Fprintf(&out, "%.2f,%.4f\n", t, math.Exp(-math.Pow((beat-0.4)*40, 2))+0.15*math.Exp(-math.Pow((beat-0.7)*12, 2)))
	}
	return out.Bytes()
}

// talk is a conversation as the Paragraphs tag reads it.
var talk = []byte(`[{"who": "Doctor", "said": "Good morning. Where does it hurt?"}, {"who": "Patient", "said": "Here, when I breathe in."}, {"who": "Doctor", "said": "Then let us take a picture."}]
`)

// visit is a page that the HyperText tag shows.
var visit = []byte(`<h1>Visit of 3 March</h1><p id="finding">No effusion on either side.</p>
`)

// paper is a page of PDF with one line of text (PDF 1.4, ISO 32000-1).
func paper(line string) []byte {
	drawn := fmt.Sprintf("BT /F1 36 Tf 72 700 Td (%s) Tj ET", line)
	var out bytes.Buffer
	var at []int
	out.WriteString("%PDF-1.4\n")
	for i, object := range []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(drawn), drawn),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
	} {
		at = append(at, out.Len())
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	table := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, offset := range at {
		fmt.Fprintf(&out, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&out, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, table)
	return out.Bytes()
}
