package main

import (
	"fmt"
	"html"
	"os"
	"strings"
)

// plot draws each server's CPU per request as a bar, in multiples of the
// first's, with the narrowest and the widest round as a line.
func plot(file string, all []*running) error {
	const row, left, unit = 26, 330, 130
	var b strings.Builder
	widest := 1.0
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	for i, r := range all {
		low, middle, high := r.spread(all[0])
		widest = max(widest, high)
		y := 30 + i*row
		colour := "#9aa5b1"
		if strings.HasPrefix(r.name, "rolepass") {
			colour = "#2b6cb0"
		}
		line(`<text x="%d" y="%d" text-anchor="end">%s</text>`, left-8, y+14, html.EscapeString(r.name))
		line(`<rect x="%d" y="%d" width="%.0f" height="18" fill="%s"/>`, left, y, middle*unit, colour)
		line(`<line x1="%.0f" x2="%.0f" y1="%d" y2="%d" stroke="#1a202c"/>`, left+low*unit, left+high*unit, y+9, y+9)
		line(`<text x="%.0f" y="%d">%.2f</text>`, left+high*unit+6, y+14, middle)
	}
	head := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%d" font-family="sans-serif" font-size="13">`+
		`<rect width="100%%" height="100%%" fill="white"/><text x="8" y="18">CPU per request, in multiples of: %s</text>`,
		left+widest*unit+60, 40+len(all)*row, html.EscapeString(all[0].name))
	return os.WriteFile(file, []byte(head+"\n"+b.String()+"</svg>\n"), 0o644)
}

// spread is the least, the median and the greatest ratio to another server in
// the same round.
func (r *running) spread(to *running) (low, middle, high float64) {
	ratio := func(i int) float64 { return r.results[i].cpu / to.results[i].cpu }
	low, high = ratio(0), ratio(0)
	for i := range r.results {
		low, high = min(low, ratio(i)), max(high, ratio(i))
	}
	return low, median(len(r.results), ratio), high
}
