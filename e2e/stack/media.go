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
