package stack

// harm is what a script in an object would do to the application if it ran as
// the application: leave a trace in its storage, take what is readable of its
// cookies, call its API as whoever looks, and settle down in the browser.
const harm = `(() => {
  let where = "page"
  try { if (self.frameElement) where = frameElement.tagName.toLowerCase() } catch (e) {}
  if (where === "page") where = document.currentScript === null ? "module" : document.currentScript.src ? "script" : "page"
  try { localStorage.setItem("harm", (localStorage.getItem("harm") || "") + where + ":" + document.contentType + ":" + (document.cookie !== "") + " ") } catch (e) {}
  try { top.harmed = where } catch (e) {}
  try { navigator.serviceWorker.register("/harm.js") } catch (e) {}
  return fetch("/api/projects/?harm=" + where, {method: "POST", body: "{}"}).catch(() => {})
})()`

// claimed are the content types that they say they have, by ending.
var claimed = map[string]string{
	".html": "text/html", ".xhtml": "application/xhtml+xml", ".svg": "image/svg+xml", ".xml": "text/xml",
	".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css",
}

// harmful are objects of the kinds that a browser would run, by name.
var harmful = map[string]string{
	"page.html":   "<!doctype html><title>harm</title><body onload=\"window.harmed = 1\"><script>" + harm + "</script><p>harmful page</p></body>\n",
	"page.xhtml":  `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>harm</title></head><body><script>//<![CDATA[` + "\n" + harm + "\n" + `//]]></script><p>harmful page</p></body></html>` + "\n",
	"picture.svg": `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30" onload="window.harmed = 1"><rect width="40" height="30" fill="red"/><script>//<![CDATA[` + "\n" + harm + "\n" + `//]]></script></svg>` + "\n",
	"tree.xml":    `<x:script xmlns:x="http://www.w3.org/1999/xhtml">//<![CDATA[` + "\n" + harm + "\n" + `//]]></x:script>` + "\n",
	"script.js":   harm + "\n",
	"module.mjs":  harm + "\nexport const harmed = 1\n",
	"worker.js":   `if (self.postMessage) self.postMessage("harm"); fetch("/api/projects/?harm=worker", {method: "POST", body: "{}"}).catch(() => {})` + "\n",
	"style.css":   "body { outline: 7px solid rgb(1, 2, 3) }\n",
}
