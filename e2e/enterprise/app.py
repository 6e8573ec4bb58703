"""A Label Studio that is itself a SAML service provider, as Enterprise is.

Enterprise cannot be had for tests, so this stands in for the parts that
Rolepass meets, after its documentation (docs.humansignal.com, "Set up SAML
SSO"): the login page of an organization, its assertion consumer service at
/saml/<token>/acs, verified with pysaml2 as Enterprise does and stricter than
it says, a session cookie, groups as a list or as one comma-joined value, and
the two questions of the API that Rolepass asks. An administrator may remove
people (SETTINGS names a file that says whom), and somebody whom the identity
provider gave another address may stay who they were. It serves no object: whatever
asks it for one is a fault, and is written down.

    app.py LISTEN_PORT SETTINGS.json LOG
"""

import hashlib
import json
import secrets
import sys
import threading
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.client import Saml2Client
from saml2.config import Config

PORT, SETTINGS, LOG = int(sys.argv[1]), json.load(open(sys.argv[2])), sys.argv[3]
ACS_PATH = f"/saml/{SETTINGS['token']}/acs"
ACS = SETTINGS["public"] + ACS_PATH

client = Saml2Client(Config().load({
    "entityid": ACS,  # Enterprise's entity id is the address of its ACS
    "metadata": {"local": [SETTINGS["metadata"]]},
    "service": {"sp": {
        "endpoints": {"assertion_consumer_service": [(ACS, BINDING_HTTP_POST)]},
        "allow_unsolicited": False,
        "want_assertions_signed": True,
        "want_response_signed": False,
        "authn_requests_signed": False,
    }},
    "accepted_time_diff": 30,
    "allow_unknown_attributes": True,
}))

lock = threading.Lock()
started = {}   # cookie of the browser that began a login -> {request id: where to}
sessions = {}  # session cookie -> person


def log(**said):
    with lock, open(LOG, "a") as out:
        out.write(json.dumps(said) + "\n")


def groups(values):
    """One value may hold several, joined by commas."""
    return [group.strip() for value in values for group in value.split(",")]


def directory():
    try:
        with open(SETTINGS["directory"]) as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


class App(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def cookie(self, name):
        morsel = SimpleCookie(self.headers.get("Cookie", "")).get(name)
        return morsel.value if morsel else None

    def answer(self, status, body=b"", *headers):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def says(self, status, value):
        self.answer(status, json.dumps(value).encode(), ("Content-Type", "application/json"))

    def do_GET(self):
        path = urlsplit(self.path).path
        log(method="GET", path=self.path, headers=sorted(name.lower() for name in self.headers))
        person = sessions.get(self.cookie("sessionid"))
        if person and person["email"] in directory().get("removed", []):
            person = None
        if path == f"/saml/{SETTINGS['token']}/login":
            return self.login()
        if path == "/logout":
            sessions.pop(self.cookie("sessionid"), None)
            return self.answer(302, b"", ("Location", "/user/login"), ("Set-Cookie", "sessionid=; Path=/; Max-Age=0"))
        if path in ("/", "/user/login"):
            return self.answer(200, b"<html>" + (b"Projects" if person else b"Sign in") + b"</html>", ("Content-Type", "text/html"))
        if not person:
            return self.says(401, {"detail": "Authentication credentials were not provided."})
        if path == "/api/current-user/whoami":
            return self.says(200, person)
        task = SETTINGS["tasks"].get(path.removeprefix("/api/tasks/").strip("/"))
        if path.startswith("/api/tasks/") and task:
            return self.says(200, task)
        project = path.removeprefix("/api/projects/").strip("/")
        if path.startswith("/api/projects/") and project.isdigit():
            return self.says(200, {"id": int(project), "organization": SETTINGS["organization"], "workspace": SETTINGS["workspaces"].get(project)})
        return self.says(404, {"detail": "Not found."})

    def login(self):
        request_id, info = client.prepare_for_authenticate(binding=BINDING_HTTP_REDIRECT, relay_state="/projects/")
        browser = secrets.token_urlsafe()
        started[browser] = {request_id: "/"}
        where = dict(info["headers"])["Location"]
        # The IdP's POST comes from another site, so the cookie must, too.
        self.answer(302, b"", ("Location", where), ("Set-Cookie", f"saml_login={browser}; Path=/; Secure; HttpOnly; SameSite=None"))

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = urlsplit(self.path).path
        log(method="POST", path=self.path, sha256=hashlib.sha256(body).hexdigest(), headers=sorted(name.lower() for name in self.headers))
        if path != ACS_PATH:
            return self.says(404, {"detail": "Not found."})
        outstanding = started.pop(self.cookie("saml_login"), {})
        try:
            response = client.parse_authn_request_response(parse_qs(body.decode())["SAMLResponse"][0], BINDING_HTTP_POST, outstanding)
            said = response.ava
            email = directory().get("known_as", {}).get(said["email"][0], said["email"][0])
            if email in directory().get("removed", []):
                raise PermissionError
            person = {"id": int(hashlib.sha256(email.encode()).hexdigest()[:6], 16), "email": email,
                      "active_organization": SETTINGS["organization"], "groups": groups(said.get("Groups", []))}
        except Exception as refused:  # whatever pysaml2 raises is a no
            log(refused=type(refused).__name__)
            return self.answer(403, b"<html>SAML login failed</html>", ("Content-Type", "text/html"))
        session = secrets.token_urlsafe()
        sessions[session] = person
        self.answer(302, b"", ("Location", "/"), ("Set-Cookie", f"sessionid={session}; Path=/; HttpOnly; SameSite=Lax"))


ThreadingHTTPServer(("127.0.0.1", PORT), App).serve_forever()
