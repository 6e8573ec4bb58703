"""Makes users of a MinIO server, each with one policy.

    minio_users.py HOST:PORT < users.json

users.json is [{"user": ..., "secret": ..., "policy": {...}}, ...]; the policy
gets the user's name. The administrator is MINIO_ROOT_USER with
MINIO_ROOT_PASSWORD. Needs the package minio.
"""

import json
import os
import sys

from minio.credentials import StaticProvider
from minio.minioadmin import MinioAdmin


def main():
    admin = MinioAdmin(
        endpoint=sys.argv[1],
        credentials=StaticProvider(os.environ["MINIO_ROOT_USER"], os.environ["MINIO_ROOT_PASSWORD"]),
        secure=False,
    )
    for entry in json.load(sys.stdin):
        admin.user_add(entry["user"], entry["secret"])
        admin.policy_add(entry["user"], policy=entry["policy"])
        admin.attach_policy([entry["user"]], user=entry["user"])


main()
