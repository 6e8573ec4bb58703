"""Says what the installed Label Studio makes of request targets, line by line.

The decoding is its own: its server's and others' reading of the target,
Django's resolver, the view behind the route, the storage's way to S3. Left out
are the network and the database: the task is there, everybody may see it, and
its project has a storage of whatever bucket is asked for.

A question is {"target": base64}. The answer has for each server the route,
whether data can leave by it, and the object to which its view leads:
{"wsgiref": {"route": …, "serves": true, "bucket": …, "key": …}, …}.
"""
import base64
import io
import json
import logging
import re
import sys
from types import SimpleNamespace
from urllib.parse import unquote_to_bytes, urlsplit

import labelstudio
from django.core.handlers.wsgi import WSGIRequest
from django.urls import Resolver404, resolve
from io_storages import proxy_api
from io_storages.s3.models import S3ImportStorage
from projects.models import Project
from tasks.models import Task

logging.disable(logging.CRITICAL)


# ROUTES has each route as the table of routes writes it, by Django's own way.
ROUTES = {django: route for route, _, django in labelstudio.routes()}


class AnyBucket(str):
    """A bucket that is whichever is asked for."""

    __hash__ = str.__hash__

    def __eq__(self, other):
        return isinstance(other, str) and other != ""

    def __ne__(self, other):
        return not self == other


# led is where the storage led to, last: bucket and key.
led = []


class Client:
    """What the storage asks for a signed location."""

    def generate_presigned_url(self, ClientMethod, Params, ExpiresIn):
        led[:] = [Params["Bucket"], Params["Key"]]
        return "https://s3.test/signed"


S3ImportStorage.get_client = lambda self: Client()
STORAGE = S3ImportStorage(bucket=AnyBucket("any"), presign=True, presign_ttl=1)
Project.get_all_import_storage_objects = property(lambda self: [STORAGE])
Project.has_permission = Task.has_permission = lambda self, user: True
PROJECT = Project(id=3)
Project.objects = SimpleNamespace(get=lambda pk: PROJECT)
Task.objects = SimpleNamespace(get=lambda pk: Task(id=3, project=PROJECT))
VIEWS = (proxy_api.TaskResolveStorageUri, proxy_api.ProjectResolveStorageUri)
for view in VIEWS:
    view.permission_classes = view.authentication_classes = ()


# The servers that Label Studio runs on, and nginx before them, as they read a
# target: each gives the path's bytes and the query, or nothing.
def wsgiref(target):
    path, _, query = target.partition("?")
    return unquote_to_bytes(path), query


def gunicorn(target):
    if target.startswith("//"):
        parts = urlsplit("." + target)
        parts = parts._replace(path=parts.path[1:])
    else:
        parts = urlsplit(target)
    return unquote_to_bytes(parts.path or ""), parts.query or ""


def nginx(target):
    """Decodes once, merges slashes, resolves dot segments; refuses NUL, and
    what climbs above the root. A fragment ends the target."""
    path, _, query = target.partition("#")[0].partition("?")
    path = re.sub(rb"/+", b"/", unquote_to_bytes(path))
    if not path.startswith(b"/") or b"\0" in path:
        return None
    ends = path.endswith((b"/", b"/.", b"/.."))
    kept = []
    for segment in path.split(b"/"):
        if segment == b"..":
            if not kept:
                return None
            kept.pop()
        elif segment not in (b"", b"."):
            kept.append(segment)
    clean = b"/" + b"/".join(kept)
    return clean + b"/" if ends and kept else clean, query


SERVERS = {"wsgiref": wsgiref, "gunicorn": gunicorn, "nginx": nginx}


def asked(path, query):
    return WSGIRequest({
        "REQUEST_METHOD": "GET", "PATH_INFO": path.decode("latin-1"), "QUERY_STRING": query, "SERVER_NAME": "s", "SERVER_PORT": "80", "wsgi.input": io.BytesIO(),
    })


def judged(read, target):
    """The route that Django takes, and the object to which its view leads."""
    try:
        path_and_query = read(target)
        if path_and_query is None:
            return {}
        request = asked(*path_and_query)
    except ValueError:  # not a target to this server, or not text to Django
        return {}
    match = found(request.path_info) or found(request.path_info + "/")  # APPEND_SLASH, and the views' own
    if match is None:
        return {}
    answer = {"route": ROUTES[match.route]}
    answer["serves"] = labelstudio.view_of(match.func) in VIEWS or answer["route"].endswith(("/storage-data/uploaded/", "data/local-files/"))
    if labelstudio.view_of(match.func) in VIEWS:
        led.clear()
        try:
            if match.func(request, *match.args, **match.kwargs).status_code == 303:
                answer["bucket"], answer["key"] = led
        except Exception as exc:  # which its server would answer with 500
            answer["failed"] = repr(exc)
    return answer


def found(path):
    try:
        return resolve(path)
    except (Resolver404, UnicodeError):
        return None


labelstudio.say({"ready": True})
for line in sys.stdin:
    target = base64.b64decode(json.loads(line)["target"]).decode("latin-1")
    labelstudio.say({name: judged(read, target) for name, read in SERVERS.items()})
