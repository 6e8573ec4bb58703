"""An unmodified boto3 client of the two endpoints.

    boto3_client.py < call.json

call.json is {"sts": URL, "s3": URL, "bucket": ..., "key": ..., "call": {...}};
call holds the parameters of assume_role_with_saml. Prints what came of it as
JSON: {"role": ..., "status": ..., "body": ...} after a presigned GET with the
credentials, or {"code": ..., "message": ...} when STS refused.
"""

import json
import sys
import urllib.error
import urllib.request

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError


def assume(job):
    sts = boto3.client(
        "sts",
        region_name="us-east-1",
        endpoint_url=job["sts"],
        config=Config(signature_version=UNSIGNED),
    )
    return sts.assume_role_with_saml(**job["call"])


def fetch(job, credentials):
    s3 = boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=job["s3"],
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    url = s3.generate_presigned_url("get_object", Params={"Bucket": job["bucket"], "Key": job["key"]})
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, ""


def main():
    job = json.load(sys.stdin)
    try:
        got = assume(job)
    except ClientError as refused:
        error = refused.response["Error"]
        return {"code": error["Code"], "message": error["Message"]}
    status, body = fetch(job, got["Credentials"])
    return {"role": got["AssumedRoleUser"]["Arn"], "status": status, "body": body}


print(json.dumps(main()))
