"""Nova's schemas of what goes in and comes out, by microversion: read from the source of the nova wheel, none of which is run
but the modules that hold schemas."""

import ast
import importlib
import pathlib
import re
import sys
import types

# Nova's paths, and the controller and method that answer them.
ROUTES = [
    ("GET", r"/flavors", "flavors", "index"),
    ("GET", r"/flavors/detail", "flavors", "detail"),
    ("POST", r"/flavors", "flavors", "create"),
    ("GET", r"/flavors/[^/]+", "flavors", "show"),
    ("PUT", r"/flavors/[^/]+", "flavors", "update"),
    ("GET", r"/flavors/[^/]+/os-flavor-access", "flavor_access", "index"),
    ("GET", r"/flavors/[^/]+/os-extra_specs", "flavors_extraspecs", "index"),
    ("POST", r"/flavors/[^/]+/os-extra_specs", "flavors_extraspecs", "create"),
    ("GET", r"/flavors/[^/]+/os-extra_specs/[^/]+", "flavors_extraspecs", "show"),
    ("PUT", r"/flavors/[^/]+/os-extra_specs/[^/]+", "flavors_extraspecs", "update"),
    ("GET", r"/os-keypairs", "keypairs", "index"),
    ("POST", r"/os-keypairs", "keypairs", "create"),
    ("GET", r"/os-keypairs/[^/]+", "keypairs", "show"),
    ("GET", r"/os-server-groups", "server_groups", "index"),
    ("POST", r"/os-server-groups", "server_groups", "create"),
    ("GET", r"/os-server-groups/[^/]+", "server_groups", "show"),
    ("GET", r"/os-aggregates", "aggregates", "index"),
    ("POST", r"/os-aggregates", "aggregates", "create"),
    ("GET", r"/os-aggregates/[^/]+", "aggregates", "show"),
    ("PUT", r"/os-aggregates/[^/]+", "aggregates", "update"),
    ("GET", r"/os-availability-zone", "availability_zone", "index"),
    ("GET", r"/os-availability-zone/detail", "availability_zone", "detail"),
    ("GET", r"/os-quota-sets/[^/]+", "quota_sets", "show"),
    ("GET", r"/os-quota-sets/[^/]+/detail", "quota_sets", "detail"),
    ("GET", r"/os-quota-sets/[^/]+/defaults", "quota_sets", "defaults"),
    ("PUT", r"/os-quota-sets/[^/]+", "quota_sets", "update"),
    ("GET", r"/os-quota-class-sets/[^/]+", "quota_classes", "show"),
    ("PUT", r"/os-quota-class-sets/[^/]+", "quota_classes", "update"),
    ("GET", r"/limits", "limits", "index"),
    ("GET", r"/extensions", "extension_info", "index"),
    ("GET", r"/extensions/[^/]+", "extension_info", "show"),
    ("GET", r"/os-services", "services", "index"),
    ("PUT", r"/os-services/[^/]+", "services", "update"),
    ("GET", r"/os-hypervisors", "hypervisors", "index"),
    ("GET", r"/os-hypervisors/detail", "hypervisors", "detail"),
    ("GET", r"/os-hypervisors/statistics", "hypervisors", "statistics"),
    ("GET", r"/os-hypervisors/[^/]+", "hypervisors", "show"),
    ("GET", r"/os-hypervisors/[^/]+/uptime", "hypervisors", "uptime"),
    ("GET", r"/os-hypervisors/[^/]+/search", "hypervisors", "search"),
    ("GET", r"/os-hypervisors/[^/]+/servers", "hypervisors", "servers"),
    ("GET", r"/os-migrations", "migrations", "index"),
    ("GET", r"/os-simple-tenant-usage", "simple_tenant_usage", "index"),
    ("GET", r"/os-simple-tenant-usage/[^/]+", "simple_tenant_usage", "show"),
    ("GET", r"/servers", "servers", "index"),
    ("GET", r"/servers/detail", "servers", "detail"),
    ("POST", r"/servers", "servers", "create"),
    ("GET", r"/servers/[^/]+", "servers", "show"),
    ("PUT", r"/servers/[^/]+", "servers", "update"),
    ("GET", r"/servers/[^/]+/metadata", "server_metadata", "index"),
    ("POST", r"/servers/[^/]+/metadata", "server_metadata", "create"),
    ("PUT", r"/servers/[^/]+/metadata", "server_metadata", "update_all"),
    ("GET", r"/servers/[^/]+/metadata/[^/]+", "server_metadata", "show"),
    ("PUT", r"/servers/[^/]+/metadata/[^/]+", "server_metadata", "update"),
    ("GET", r"/servers/[^/]+/tags", "server_tags", "index"),
    ("PUT", r"/servers/[^/]+/tags", "server_tags", "update_all"),
    ("GET", r"/servers/[^/]+/ips", "ips", "index"),
    ("GET", r"/servers/[^/]+/ips/[^/]+", "ips", "show"),
    ("GET", r"/servers/[^/]+/os-interface", "attach_interfaces", "index"),
    ("GET", r"/servers/[^/]+/os-interface/[^/]+", "attach_interfaces", "show"),
    ("POST", r"/servers/[^/]+/os-interface", "attach_interfaces", "create"),
    ("GET", r"/servers/[^/]+/os-instance-actions", "instance_actions", "index"),
    ("GET", r"/servers/[^/]+/os-instance-actions/[^/]+", "instance_actions", "show"),
    ("GET", r"/servers/[^/]+/diagnostics", "server_diagnostics", "index"),
    ("GET", r"/servers/[^/]+/os-security-groups", "security_groups", "index"),
    ("GET", r"/servers/[^/]+/topology", "server_topology", "index"),
    ("GET", r"/servers/[^/]+/migrations", "server_migrations", "index"),
]


class NovaReference:
    def __init__(self, source):
        """source: the folder that holds the package `nova`."""
        self.source = pathlib.Path(source)
        for name in ("nova", "nova.api", "nova.api.openstack", "nova.api.openstack.compute", "nova.api.openstack.compute.schemas",
                     "nova.api.validation", "nova.objects", "nova.compute"):
            module = types.ModuleType(name)
            module.__path__ = [str(self.source / name.replace(".", "/"))]
            sys.modules[name] = module
        # What schema modules take from the rest of Nova.
        self._stub("nova.i18n", _=lambda text: text)
        self._stub("nova.objects.tag", MAX_TAG_LENGTH=60)
        self._stub("nova.objects.instance", MAX_TAG_COUNT=50)
        self._stub("nova.conf", CONF=None)
        self._stub("nova.objects.fields", InstancePowerState=types.SimpleNamespace(ALL=(
            "pending", "running", "paused", "shutdown", "crashed", "suspended", "blocked")))
        for states in ("vm_states", "task_states", "power_state"):
            self._stub(f"nova.compute.{states}", __getattr__=lambda name: name.lower(), ALL=[])
        sys.modules["nova.objects"].instance = sys.modules["nova.objects.instance"]
        sys.modules["nova.objects"].tag = sys.modules["nova.objects.tag"]
        sys.modules["nova.objects"].fields = sys.modules["nova.objects.fields"]
        self.controllers = {}

    @staticmethod
    def _stub(name, **members):
        module = types.ModuleType(name)
        for key, value in members.items():
            setattr(module, key, value)
        sys.modules[name] = module
        parent, _, leaf = name.rpartition(".")
        setattr(sys.modules[parent], leaf, module)

    def find(self, method, path):
        for wanted, pattern, module, function in ROUTES:
            if wanted == method and re.fullmatch(pattern, path):
                return module, function
        return None

    def _methods(self, module):
        """{method: [(kind, schema, first, last)]}"""
        if module in self.controllers:
            return self.controllers[module]
        text = (self.source / "nova/api/openstack/compute" / f"{module}.py").read_text()
        tree = ast.parse(text)
        names = {}
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and node.module and node.module.endswith("schemas"):
                for alias in node.names:
                    names[alias.asname or alias.name] = alias.name
        methods = {}
        for node in tree.body:
            if not isinstance(node, ast.ClassDef):
                continue
            for function in node.body:
                if not isinstance(function, ast.FunctionDef):
                    continue
                for decorator in function.decorator_list:
                    if not (isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Attribute)):
                        continue
                    kind = decorator.func.attr
                    if kind not in ("schema", "response_body_schema", "query_schema"):
                        continue
                    target = decorator.args[0]
                    versions = [ast.literal_eval(a) for a in decorator.args[1:]]
                    first = int(versions[0].split(".")[1]) if versions else 1
                    last = int(versions[1].split(".")[1]) if len(versions) > 1 else 10_000
                    methods.setdefault(function.name, []).append((kind, names.get(target.value.id), target.attr, first, last))
        self.controllers[module] = methods
        return methods

    def schema(self, module, function, minor, kind="response_body_schema"):
        for which, file, name, first, last in self._methods(module).get(function, []):
            if which == kind and max(first, 1) <= minor <= last:
                return getattr(importlib.import_module(f"nova.api.openstack.compute.schemas.{file}"), name)
        return None

    def breaks(self, module, function):
        """The microversions at which a schema begins."""
        return sorted({max(first, 1) for _, _, _, first, _ in self._methods(module).get(function, [])} or {1})

    @staticmethod
    def problems(schema, body):
        import jsonschema

        found = jsonschema.Draft202012Validator(schema).iter_errors(body)
        return [f"{'/'.join(str(part) for part in e.absolute_path) or 'the whole'}: {e.message[:300]}" for e in found]
