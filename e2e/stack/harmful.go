package stack

// harm is what a script in an object would do to the application if it ran as
// the application: leave a trace in its storage, take what is readable of its
// cookies, call its API as whoever looks, and settle down in the browser.
const harm = `(() => {
  const trace = what => { try { localStorage.setItem("harm", (localStorage.getItem("harm") || "") + " " + what) } catch (e) {} };
  const ask = what => { try { fetch("/api/projects/?harm=" + what, {method: "POST", body: "{}"}).catch(() => {}) } catch (e) {} };
  const where = (document.currentScript && document.currentScript.dataset.name) || document.contentType || "page";
  trace("ran:" + where + ":" + document.cookie.length);
  ask(encodeURIComponent(where));
  try { top.harmed = where } catch (e) {}
  try { navigator.serviceWorker.register("/harm.js") } catch (e) {}
})()`

// harmful are objects of the kinds that a browser would run, by name.
var harmful = map[string]string{
	"page.html":   "<!doctype html><title>harm</title><body onload=\"window.harmed = 1\"><script>" + harm + "</script><p>harmful page</p></body>\n",
	"page.xhtml":  `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>harm</title></head><body><script>//<![CDATA[` + "\n" + harm + "\n" + `//]]></script><p>harmful page</p></body></html>` + "\n",
	"picture.svg": `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30" onload="window.harmed = 1"><rect width="40" height="30" fill="red"/><script>//<![CDATA[` + "\n" + harm + "\n" + `//]]></script></svg>` + "\n",
	"tree.xml":    `<x:script xmlns:x="http://www.w3.org/1999/xhtml">//<![CDATA[` + "\n" + harm + "\n" + `//]]></x:script>` + "\n",
	"script.js":   harm + "\n",
	"module.mjs":  harm + "\nexport const harmed = 1\n",
	"worker.js":   `self.postMessage && self.postMessage("harm"); fetch("/api/projects/?harm=worker", {method: "POST", body: "{}"})` + "\n",
	"style.css":   "body { outline: 7px solid rgb(1, 2, 3) }\n",
	"anything":    "<!doctype html><script>" + harm + "</script>\n",
}
