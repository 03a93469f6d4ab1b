"""Nova's schemas of what goes in and comes out, by microversion: read from the source of the nova wheel, none of which is run
but the modules that hold schemas."""

import ast
import functools
import importlib
import ipaddress
import pathlib
import re
import sys
import types
import uuid

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
    ("GET", r"/os-hosts", "hosts", "index"),
    ("GET", r"/os-hosts/[^/]+", "hosts", "show"),
    ("GET", r"/images", "images", "index"),
    ("GET", r"/images/detail", "images", "detail"),
    ("GET", r"/images/[^/]+", "images", "show"),
    ("GET", r"/images/[^/]+/metadata", "image_metadata", "index"),
    ("GET", r"/images/[^/]+/metadata/[^/]+", "image_metadata", "show"),
    ("GET", r"/os-networks", "networks", "index"),
    ("GET", r"/os-networks/[^/]+", "networks", "show"),
    ("GET", r"/os-tenant-networks", "tenant_networks", "index"),
    ("GET", r"/os-tenant-networks/[^/]+", "tenant_networks", "show"),
    ("GET", r"/os-security-groups", "security_groups", "index"),
    ("POST", r"/os-security-groups", "security_groups", "create"),
    ("GET", r"/os-security-groups/[^/]+", "security_groups", "show"),
    ("PUT", r"/os-security-groups/[^/]+", "security_groups", "update"),
    ("POST", r"/os-security-group-rules", "security_groups", "create"),
    ("GET", r"/os-floating-ip-pools", "floating_ip_pools", "index"),
    ("GET", r"/os-floating-ips", "floating_ips", "index"),
    ("POST", r"/os-floating-ips", "floating_ips", "create"),
    ("GET", r"/os-floating-ips/[^/]+", "floating_ips", "show"),
    ("GET", r"/os-instance_usage_audit_log", "instance_usage_audit_log", "index"),
    ("GET", r"/os-instance_usage_audit_log/[^/]+", "instance_usage_audit_log", "show"),
    ("GET", r"/servers/[^/]+/os-server-password", "server_password", "index"),
    ("GET", r"/servers/[^/]+/os-volume_attachments", "volume_attachments", "index"),
    ("POST", r"/servers/[^/]+/os-volume_attachments", "volume_attachments", "create"),
    ("GET", r"/servers/[^/]+/os-volume_attachments/[^/]+", "volume_attachments", "show"),
    ("PUT", r"/servers/[^/]+/os-volume_attachments/[^/]+", "volume_attachments", "update"),
    ("DELETE", r"/servers/[^/]+/os-volume_attachments/[^/]+", "volume_attachments", "delete"),
    ("GET", r"/os-volumes", "volumes", "index"),
    ("POST", r"/os-volumes", "volumes", "create"),
    ("GET", r"/os-volumes/detail", "volumes", "detail"),
    ("GET", r"/os-volumes/[^/]+", "volumes", "show"),
    ("DELETE", r"/os-volumes/[^/]+", "volumes", "delete"),
    ("GET", r"/os-snapshots", "snapshots", "index"),
    ("POST", r"/os-snapshots", "snapshots", "create"),
    ("GET", r"/os-snapshots/detail", "snapshots", "detail"),
    ("GET", r"/os-snapshots/[^/]+", "snapshots", "show"),
    ("DELETE", r"/os-snapshots/[^/]+", "snapshots", "delete"),
    ("POST", r"/os-server-external-events", "server_external_events", "create"),
]

# What is answered by another class of the same module as the first of that method's name.
CLASSES = {
    r"/servers/[^/]+/os-security-groups": "ServerSecurityGroupController",
    r"/os-security-group-rules": "SecurityGroupRulesController",
}

# The events that Nova knows, in the order of its own list, of which older schemas take a part away.
EVENTS = [
    "network-changed", "network-vif-plugged", "network-vif-unplugged", "network-vif-deleted", "volume-extended", "power-update",
    "accelerator-request-bound", "volume-reimaged",
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
        self._stub("nova.objects.external_event", EVENT_NAMES=EVENTS, EVENT_STATUSES=["failed", "completed", "in-progress"])
        self._stub("nova.objects.fields", InstancePowerState=types.SimpleNamespace(ALL=(
            "pending", "running", "paused", "shutdown", "crashed", "suspended", "blocked")))
        for states in ("vm_states", "task_states", "power_state"):
            self._stub(f"nova.compute.{states}", __getattr__=lambda name: name.lower(), ALL=[])
        sys.modules["nova.objects"].external_event = sys.modules["nova.objects.external_event"]
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

    def find(self, method, path, action=None):
        """The module, the class and the method that answer a request; None for one of no schema."""
        if action is not None and method == "POST" and path.endswith("/action"):
            return self._actions().get(("servers" if path.startswith("/servers") else path.split("/")[1], action))
        for wanted, pattern, module, function in ROUTES:
            if wanted == method and re.fullmatch(pattern, path):
                wanted_class = next((name for rule, name in CLASSES.items() if re.fullmatch(rule, path)), None)
                for name in self._methods(module):
                    if name[1] == function and wanted_class in (None, name[0]):
                        return module, name
        return None

    def cases(self):
        """Every method of `ROUTES`."""
        found = {self.find(method, pattern.replace("[^/]+", "x")) for method, pattern, _, _ in ROUTES}
        return {f"{module} {name[0]}.{name[1]}" for module, name in found}

    def _actions(self):
        """{(collection, action): (module, (class, method))}"""
        if not hasattr(self, "actions"):
            self.actions = {}
            for path in sorted((self.source / "nova/api/openstack/compute").glob("*.py")):
                collection = {"aggregates": "os-aggregates", "flavor_access": "flavors"}.get(path.stem, "servers")
                for name, (_, action) in self._methods(path.stem).items():
                    if action:
                        self.actions[collection, action] = (path.stem, name)
        return self.actions

    def _methods(self, module):
        """{(class, method): ([(kind, schema, first, last)], action)}"""
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
                schemas, action = methods.setdefault((node.name, function.name), ([], None))
                for decorator in function.decorator_list:
                    if not (isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Attribute)):
                        continue
                    kind = decorator.func.attr
                    if kind == "action":
                        action = ast.literal_eval(decorator.args[0])
                    if kind not in ("schema", "response_body_schema", "query_schema"):
                        continue
                    target = decorator.args[0]
                    versions = [ast.literal_eval(a) for a in decorator.args[1:]]
                    first = int(versions[0].split(".")[1]) if versions else 1
                    last = int(versions[1].split(".")[1]) if len(versions) > 1 else 10_000
                    schemas.append((kind, names.get(target.value.id), target.attr, first, last))
                methods[node.name, function.name] = (schemas, action)
        self.controllers[module] = methods
        return methods

    def schema(self, module, name, minor, kind="response_body_schema"):
        for which, file, attribute, first, last in self._methods(module)[name][0]:
            if which == kind and max(first, 1) <= minor <= last:
                return getattr(importlib.import_module(f"nova.api.openstack.compute.schemas.{file}"), attribute)
        return None

    def breaks(self):
        """The microversions at which a schema of any answer begins."""
        found = {1}
        for path in sorted((self.source / "nova/api/openstack/compute").glob("*.py")):
            for schemas, _ in self._methods(path.stem).values():
                found |= {max(first, 1) for kind, _, _, first, _ in schemas if kind == "response_body_schema"}
        return sorted(found)

    @staticmethod
    def problems(schema, body):
        import jsonschema

        found = jsonschema.Draft202012Validator(schema, format_checker=_formats()).iter_errors(body)
        return [
            f"{'/'.join(str(part) for part in e.absolute_path) or 'the whole'}: {e.message[:200]} ... {e.message[-200:]}"
            for e in found
            # Nova's schema takes the names of hosts for UUIDs.
            if "hosts_not_run" not in e.absolute_path
        ]


@functools.cache
def _formats():
    """The formats of Nova's schemas that tell one alternative from another."""
    import jsonschema

    checker = jsonschema.FormatChecker(formats=("ipv4", "ipv6", "date", "regex"))
    checker.checks("cidr", raises=ValueError)(lambda text: "/" in text and bool(ipaddress.ip_network(text, strict=False)))
    checker.checks("uuid", raises=ValueError)(lambda text: not isinstance(text, str) or bool(uuid.UUID(text)))
    return checker
