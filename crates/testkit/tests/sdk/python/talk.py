"""A walk's side of the talk with the test that started it. The test is who sits at the browser and
who runs the server: the walk writes what it wants as a line of JSON and reads the answer as one."""

import http.server
import json
import queue
import sys
import threading
import urllib.parse

import anyio

# What this walk is to do.
task = json.loads(sys.argv[1])


async def ask(what, argument=None):
    """Asks the test for something and waits until it is done."""
    print(json.dumps({"ask": what, "argument": argument}), flush=True)
    line = await anyio.to_thread.run_sync(sys.stdin.readline)
    return json.loads(line)


def expect(what, found, wanted):
    if found != wanted:
        raise AssertionError(f"{what}: {found!r}, not {wanted!r}")


class Listener:
    """A native app's loopback listener (RFC 8252 section 7.3)."""

    def __init__(self):
        arrived = self.arrived = queue.Queue()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"You may close this window.")
                url = urllib.parse.urlsplit(self.path)
                if url.path == "/callback":
                    arrived.put(dict(urllib.parse.parse_qsl(url.query)))

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.redirect_uri = f"http://127.0.0.1:{server.server_port}/callback"

    async def next(self):
        """The parameters that the next browser brings."""
        return await anyio.to_thread.run_sync(self.arrived.get)
