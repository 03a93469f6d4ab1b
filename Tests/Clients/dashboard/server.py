"""Serves the dashboard on a port of its own, and says where. Run with the Python that has the dashboard."""

import socketserver
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from django.core.wsgi import get_wsgi_application


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


application = get_wsgi_application()
server = Server(("127.0.0.1", 0), WSGIRequestHandler)
server.set_app(application)
print(f"ready http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
