"""Prints the version of the installed Label Studio and then its URL table, as
Django resolves it: one line of JSON for each route."""
import label_studio
import labelstudio

labelstudio.say({"version": label_studio.__version__})
for route, callback, _ in labelstudio.routes():
    labelstudio.say({"route": route, "view": labelstudio.name_of(callback), "methods": labelstudio.methods_of(callback)})
