"""What web-download fetches from."""

import contextlib
import http.server
import threading
import time


class Mirror:
    """One file on a port of this host.

    `pause` is the time between two pieces of it, so that a download can be cut off.
    """

    PIECE = 1 << 20

    def __init__(self, data, pause=0):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                # The cloud may be gone before the end.
                with contextlib.suppress(OSError):
                    for start in range(0, len(data), Mirror.PIECE):
                        self.wfile.write(data[start : start + Mirror.PIECE])
                        time.sleep(pause)

            def log_message(self, *_):
                pass

        self.data = data
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{port}/disk"
        # What lets a cloud fetch from here.
        self.settings = {"IMPORT_FILTERING_OPTS_PRIVATE_HOSTS": "127.0.0.1", "IMPORT_FILTERING_OPTS_ALLOWED_PORTS": port}

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
