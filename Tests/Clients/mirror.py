"""What images are imported from."""

import contextlib
import hashlib
import http.server
import json
import threading
import time


class Mirror:
    """One file on a port of this host, and an image of another region that has its bytes.

    `pause` is the time between two pieces of it, so that a download can be cut off.
    """

    PIECE = 1 << 20
    IMAGE = "36d4b546-64a2-4bb9-bdd0-ba676aa48f2c"

    def __init__(self, data, pause=0):
        tokens = self.tokens = set()
        image = {"id": self.IMAGE, "status": "active", "size": len(data), "disk_format": "raw", "container_format": "bare"}
        image |= {"hw_cpu_cores": "5", "speed": "88mph", "os_hash_algo": "sha512", "os_hash_value": hashlib.sha512(data).hexdigest()}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                tokens.add(self.headers["X-Auth-Token"])
                body = json.dumps(image).encode() if self.path == f"/v2/images/{Mirror.IMAGE}" else data
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                # The cloud may be gone before the end.
                with contextlib.suppress(OSError):
                    for start in range(0, len(body), Mirror.PIECE):
                        self.wfile.write(body[start : start + Mirror.PIECE])
                        time.sleep(pause)

            def log_message(self, *_):
                pass

        self.data = data
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        port = self.server.server_address[1]
        self.endpoint = f"http://127.0.0.1:{port}"
        self.url = self.endpoint + "/disk"
        # What lets a cloud fetch from here.
        self.settings = {"IMPORT_FILTERING_OPTS_PRIVATE_HOSTS": "127.0.0.1", "IMPORT_FILTERING_OPTS_ALLOWED_PORTS": port}

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
