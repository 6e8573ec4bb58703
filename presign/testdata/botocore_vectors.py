"""Writes botocore.json: what botocore signs for keys that are hard to sign.

    python botocore_vectors.py > botocore.json

The time is frozen and the credentials are AWS's published examples, so that
the output is the same each time. Made with the botocore that it names.
"""

import datetime
import json
from unittest import mock

import botocore
import botocore.auth
import botocore.session
from botocore.config import Config

NOW = datetime.datetime(2026, 11, 24, 12, 0, 0, tzinfo=datetime.timezone.utc)
ACCESS_KEY, SECRET_KEY = "ASIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjE+//wEa/" * 4 + "=="
KEYS = [
    "radiology/red lung+1.png", "a", "a/b/c.png", "Grüße/日本語/\U0001fac1.png", "x%2Fy", "x%252Fy", "%", "a&b=c;d", "a#b", "()'!*", ";,=@:$", "~-._",
    "back\\slash", "\"quoted\" <tag>", "e\u0301 and \u00e9", "a/ b /c", "trailing/", "...", ".hidden", "{x}|^`[y]",
]
PLACES = [("imaging", "eu-west-1", None), ("dotted.bucket.name", "us-east-1", None), ("imaging", "cn-north-1", None),
          ("imaging", "us-gov-west-1", None), ("imaging", "us-east-1", "http://127.0.0.1:9000")]



def sign(method, bucket, region, endpoint, token, key, expires):
    session = botocore.session.Session()
    session.set_credentials(ACCESS_KEY, SECRET_KEY, token or None)
    config = Config(signature_version="s3v4", s3={"addressing_style": "path", "us_east_1_regional_endpoint": "regional"})
    client = session.create_client("s3", region_name=region, endpoint_url=endpoint, config=config)
    operation = {"GET": "get_object", "HEAD": "head_object"}[method]
    return client.generate_presigned_url(operation, Params={"Bucket": bucket, "Key": key}, ExpiresIn=expires)


def vectors():
    for bucket, region, endpoint in PLACES:
        for number, key in enumerate(KEYS if region == "eu-west-1" else KEYS[:5]):
            for method in ("GET", "HEAD"):
                token = TOKEN if number % 4 else ""
                expires = 60 + number
                yield {"method": method, "bucket": bucket, "region": region, "endpoint": endpoint or "", "token": token, "key": key,
                       "expires": expires, "url": sign(method, bucket, region, endpoint, token, key, expires)}


with mock.patch("botocore.auth.get_current_datetime", lambda: NOW):
    print(json.dumps({"botocore": botocore.__version__, "time": NOW.isoformat(), "access_key": ACCESS_KEY, "secret_key": SECRET_KEY,
                      "vectors": list(vectors())}, indent=1, ensure_ascii=True))
