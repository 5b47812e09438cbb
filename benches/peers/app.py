"""What a shop in Python would write: check the signature, store one row, answer."""

import base64
import os
import sqlite3
import threading
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, unquote_to_bytes

import eopayment
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from fastapi import FastAPI, Request, Response
from psycopg_pool import AsyncConnectionPool
from starlette.concurrency import run_in_threadpool

INSERT = "INSERT INTO calls (psp, order_ref, cents, raw) VALUES ({0}, {0}, {0}, {0})"
STORE = os.environ["PEER_STORE"]
IS_SQLITE = STORE.startswith("/")
FORM_KEY = os.environ["PEER_FORM_KEY"]
with open(os.environ["PEER_PUBLIC_KEY"], "rb") as file:
    PUBLIC_KEY = load_pem_public_key(file.read())
FORMS = eopayment.Payment(
    "systempayv2",
    {
        "vads_site_id": "12345678",
        "secret_production": FORM_KEY,
        "secret_test": FORM_KEY,
        "signature_algo": "hmac_sha256",
        "vads_ctx_mode": "PRODUCTION",
    },
)
of_thread = threading.local()


@asynccontextmanager
async def lifespan(app):
    if IS_SQLITE:
        yield
        return
    async with AsyncConnectionPool(STORE, min_size=4, max_size=16) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


def into_sqlite(row):
    connection = getattr(of_thread, "connection", None)
    if connection is None:
        connection = of_thread.connection = sqlite3.connect(STORE, timeout=30, isolation_level=None)
        connection.execute("PRAGMA synchronous = FULL")
    connection.execute(INSERT.format("?"), row)


async def store(row):
    if IS_SQLITE:
        await run_in_threadpool(into_sqlite, row)
        return
    async with app.state.pool.connection() as connection:
        await connection.execute(INSERT.format("%s"), row)


@app.get("/{path:path}")
async def up2pay(request: Request):
    raw = request.scope["query_string"]
    signed, found, signature = raw.rpartition(b"&Signature=")
    try:
        PUBLIC_KEY.verify(base64.b64decode(unquote_to_bytes(signature)), signed, PKCS1v15(), SHA1())
    except (InvalidSignature, ValueError):
        return Response(status_code=403)
    fields = parse_qs(signed.decode())
    await store(("up2pay", fields["Ref"][0], int(fields["Mt"][0]), raw.decode()))
    return Response("OK\n", media_type="text/plain")


@app.post("/{path:path}")
async def sogecommerce(request: Request):
    raw = (await request.body()).decode()
    answer = FORMS.response(raw)
    if not answer.signed:
        return Response(status_code=403)
    fields = answer.bank_data
    await store(("sogecommerce", fields["vads_order_id"], int(fields["vads_amount"]), raw))
    return Response("OK\n", media_type="text/plain")
