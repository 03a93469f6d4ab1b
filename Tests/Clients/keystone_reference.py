"""Keystone's own table of routes, with the schemas of what goes in and comes out: taken from Keystone itself."""

import functools
import re
import warnings


class KeystoneRoute:
    def __init__(self, method, path, request, response):
        self.method = method
        # As `/v3/users/{user_id}`.
        self.path = path
        # JSON schemas, or None where Keystone has none.
        self.request = request
        self.response = response

    @property
    def name(self):
        return f"{self.method} {self.path}"

    @property
    def parameters(self):
        return re.findall(r"{(\w+)}", self.path)


class Reference:
    def __init__(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import flask
            import keystone.conf
            from keystone.server.flask import application

            keystone.conf.configure()
            app = flask.Flask("reference", static_folder=None)
            for module in application.__apis__:
                for api in module.APIs:
                    api.instantiate_and_register_to_app(app)
        self._urls = app.url_map.bind("localhost")
        self.routes = {}
        for rule in app.url_map.iter_rules():
            view = getattr(app.view_functions[rule.endpoint], "view_class", None)
            for method in sorted(rule.methods - {"OPTIONS", "HEAD"}):
                handler = getattr(view, method.lower(), None)
                route = KeystoneRoute(
                    method,
                    re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule),
                    getattr(handler, "_request_body_schema", None),
                    getattr(handler, "_response_body_schema", None),
                )
                self._add_what_handlers_keep_to_themselves(route)
                self.routes[method, rule.rule] = route

    @staticmethod
    def _add_what_handlers_keep_to_themselves(route):
        """Some handlers check the body themselves, without its outer object, and two name the request as the response."""
        from keystone.auth import schema as auth
        from keystone.identity import schema as identity
        from keystone.oauth1 import schema as oauth
        from keystone.policy import schema as policy

        inner = {
            "POST /v3/auth/tokens": ("auth", auth.token_issue),
            "POST /v3/users/{user_id}/password": ("user", identity.password_change),
            "POST /v3/OS-OAUTH1/consumers": ("consumer", oauth.consumer_create),
            "PATCH /v3/OS-OAUTH1/consumers/{consumer_id}": ("consumer", oauth.consumer_update),
            "PUT /v3/OS-OAUTH1/authorize/{request_token_id}": ("roles", oauth.request_token_authorize),
            "POST /v3/policies": ("policy", policy.policy_create),
            "PATCH /v3/policies/{policy_id}": ("policy", policy.policy_update),
        }
        if route.request is None and route.name in inner:
            key, schema = inner[route.name]
            route.request = {"type": "object", "properties": {key: schema}, "required": [key]}
        if route.name == "POST /v3/users":
            route.response = identity.user_create_response_body
        if route.name == "PATCH /v3/users/{user_id}":
            route.response = identity.user_update_response_body

    def find(self, method, path):
        """The route of a request, or None. The path is one without a query."""
        import werkzeug.exceptions

        try:
            rule, _ = self._urls.match(path, method, return_rule=True)
        except werkzeug.exceptions.HTTPException:
            return None
        return self.routes.get((method, rule.rule))

    @staticmethod
    @functools.cache
    def _format_checker():
        from keystone.api.validation import validators

        return validators._FORMAT_CHECKER

    def problems(self, schema, body):
        """What the schema has against the body, a line each."""
        import jsonschema

        found = jsonschema.Draft202012Validator(schema, format_checker=self._format_checker()).iter_errors(body)
        return [f"{'/'.join(str(part) for part in error.absolute_path) or 'the whole'}: {error.message[:300]}" for error in found]
