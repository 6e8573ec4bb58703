"""The installed Label Studio, without its server: its settings and its URL table.

Nothing is served, and no database is opened.
"""
import json
import os
import re
import sys

import label_studio

os.closerange(3, 64)  # what Go's fuzzer leaves open, and waits for the end of
sys.path.insert(0, os.path.dirname(label_studio.__file__))
os.environ["DJANGO_SETTINGS_MODULE"] = "core.settings.label_studio"

import django

# Label Studio prints while it starts; what this program says is for the test.
said, sys.stdout = sys.stdout, sys.stderr
django.setup()

from django.contrib.admindocs.views import simplify_regex
from django.urls import URLPattern, get_resolver
from django.urls.resolvers import RegexPattern


def say(document):
    said.write(json.dumps(document) + "\n")
    said.flush()


def view_of(callback):
    """The class or the function behind a route."""
    return getattr(callback, "cls", None) or getattr(callback, "view_class", None) or callback


def name_of(callback):
    view = view_of(callback)
    return f"{view.__module__}.{view.__qualname__}"


def methods_of(callback):
    """What the view answers; a function decides itself."""
    if actions := getattr(callback, "actions", None):
        return sorted(method.upper() for method in actions)
    view = view_of(callback)
    if not hasattr(view, "http_method_names"):
        return ["*"]
    return sorted(method.upper() for method in view.http_method_names if hasattr(view, method))


def readable(patterns):
    """A route as a person writes it: /api/tasks/<int:pk>/. What a pattern
    without a beginning matches anywhere in a path begins with an ellipsis."""
    whole = ""
    for pattern in patterns:
        if isinstance(pattern, RegexPattern):
            text = str(pattern)
            if not whole and text and not text.startswith("^"):
                whole = "…"
            text = re.sub(r"/\?\$?$", "", text.replace("/?$", ""))
            whole += simplify_regex(text).lstrip("/").replace("\\.", ".") if text.strip("^$") else ""
        else:
            whole += str(pattern)
    return whole if whole.startswith("…") else "/" + whole


def joined(patterns):
    """A route as ResolverMatch.route has it."""
    whole = ""
    for pattern in patterns:
        text = str(pattern)
        whole += text[1:] if whole and text.startswith("^") else text
    return whole


def routes(patterns=None, before=()):
    """Every route with its view and as Django itself writes it, in the order in
    which they are tried."""
    for one in get_resolver().url_patterns if patterns is None else patterns:
        whole = (*before, one.pattern)
        if isinstance(one, URLPattern):
            yield readable(whole), one.callback, joined(whole)
        else:
            yield from routes(one.url_patterns, whole)
