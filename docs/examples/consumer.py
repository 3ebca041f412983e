"""A service that follows its key file and tells keyturn which key it uses.

KEY_FILE=/srv/llm-keys/payments-api.json KEY_FIELD=OPENROUTER_API_KEY python3 consumer.py
"""

import collections
import contextlib
import hashlib
import http.server
import json
import os
import socket
import threading
import time
import urllib.request

KEY_FILE = os.environ["KEY_FILE"]
KEY_FIELD = os.environ.get("KEY_FIELD")  # left out: the file is the key and nothing else
KEY_NAME = os.environ.get("KEY_NAME", "payments-api")
PROVIDER = os.environ.get("OPENROUTER_BASE_URL", "https://openrouter.ai/api/v1")
MODEL = os.environ.get("MODEL", "openai/gpt-4o-mini")


class WatchedKey:
    """Reads the key again every second, and knows which keys requests still bear."""

    def __init__(self):
        self._lock = threading.Lock()
        self._key = None
        self._under_way = collections.Counter()
        self._read()
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self):
        while True:
            time.sleep(1)
            self._read()

    def _read(self):
        try:
            with open(KEY_FILE, encoding="utf-8") as file:
                text = file.read()
            key = (json.loads(text)[KEY_FIELD] if KEY_FIELD else text).strip()
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return  # not there or not whole: the key last read stays
        if key:
            with self._lock:
                self._key = key

    @contextlib.contextmanager
    def use(self):
        """Lends the key of this moment to one request; it counts as held until the request has ended."""
        with self._lock:
            key = self._key
            if key is None:
                raise RuntimeError("there is no key yet")
            self._under_way[key] += 1
        try:
            yield key
        finally:
            with self._lock:
                self._under_way[key] -= 1

    def health(self):
        with self._lock:
            serving = self._key
            holding = [key for key, count in self._under_way.items() if count > 0 and key != serving]
            self._under_way += collections.Counter()  # forgets keys that nothing bears any more
        return {
            "status": "ok" if serving else "waiting",
            "instance": socket.gethostname(),
            "keys": {
                KEY_NAME: {
                    "serving": fingerprint(serving) if serving else None,
                    "holding": [fingerprint(key) for key in holding],
                }
            },
        }


def fingerprint(key):
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()


watched = WatchedKey()


def ask(prompt):
    with watched.use() as key:
        body = {"model": MODEL, "messages": [{"role": "user", "content": prompt}]}
        request = urllib.request.Request(
            PROVIDER + "/chat/completions",
            data=json.dumps(body).encode(),
            headers={"Authorization": "Bearer " + key, "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.read()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path != "/healthz":
            return self.reply(404, b"{}")
        health = watched.health()
        self.reply(200 if health["status"] == "ok" else 503, json.dumps(health).encode())

    def do_POST(self):
        if self.path != "/ask":
            return self.reply(404, b"{}")
        try:
            self.reply(200, ask("hello"))
        except (OSError, RuntimeError) as error:
            self.reply(502, json.dumps({"error": str(error)}).encode())

    def reply(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    address = (os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8080")))
    http.server.ThreadingHTTPServer(address, Handler).serve_forever()
