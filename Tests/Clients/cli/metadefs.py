"""Metadata definitions: namespaces and what is in them."""

import json
import shlex

from harness import expect, expect_has

from .flow import column, lists


def namespaces(openstack, of="", without=()):
    """Returns the names of the namespaces that a list has, without those that came with the cloud."""
    return [name for name in column(openstack(f"image metadef namespace list {of}"), "namespace") if name not in without]


def metadef_namespaces(flow):
    openstack = flow.admin
    shipped = namespaces(openstack)
    expect_has({name: True for name in shipped}, **{"OS::Compute::Libvirt": True, "OS::OperatingSystem": True})
    made = openstack("image metadef namespace create OS::Test::One --display-name One --description 'The first' --public --protected")
    expect_has(
        made,
        namespace="OS::Test::One",
        display_name="One",
        description="The first",
        visibility="public",
        protected=True,
        owner=openstack("project show admin")["id"],
    )
    openstack.fails("image metadef namespace create OS::Test::One", "409")
    openstack("image metadef namespace create hidden --private --unprotected")
    expect(namespaces(openstack, without=shipped), ["OS::Test::One", "hidden"], "the namespaces")
    expect(column(openstack("image metadef namespace list --visibility private"), "namespace"), ["hidden"], "the private ones")
    openstack("image metadef resource type association create hidden OS::Nova::Server")
    expect(
        namespaces(openstack, "--resource-types OS::Nova::Server", without=shipped), ["hidden"], "of servers"
    )

    openstack.fails("image metadef namespace delete OS::Test::One")
    openstack("image metadef namespace set OS::Test::One --display-name Uno --public --unprotected --tag red --tag blue")
    shown = openstack("image metadef namespace show OS::Test::One")
    expect_has(shown, display_name="Uno", visibility="public", protected=False)
    expect(column(shown["tags"], "name"), ["blue", "red"], "the tags")
    openstack("image metadef namespace unset OS::Test::One --tag red")
    expect(column(openstack("image metadef namespace show OS::Test::One")["tags"], "name"), ["blue"], "the tags that are left")
    openstack("image metadef namespace unset OS::Test::One --all-tags")
    # The SDK adds to the list that it shows for none, for as long as its process lives.
    left = flow.cloud.admin().call("GET", "/image/v2/metadefs/namespaces/OS::Test::One/tags", status=200).json
    expect(left, {"tags": []}, "the tags after")

    member, _, _ = flow.member("reader-of-definitions")
    expect(namespaces(member, without=shipped), ["OS::Test::One"], "what a member sees")
    member.fails("image metadef namespace show hidden", "No MetadefNamespace found")
    member.fails("image metadef namespace set OS::Test::One --description mine", "403")
    member.fails("image metadef namespace create mine", "403")
    member.fails("image metadef namespace delete OS::Test::One")

    openstack("image metadef namespace delete OS::Test::One hidden")
    flow.gone("image metadef namespace show OS::Test::One")
    expect(namespaces(openstack), shipped, "the namespaces after")


def metadef_objects(flow):
    openstack = flow.admin
    openstack("image metadef namespace create machines")
    made = openstack("image metadef object create --namespace machines 'CPU limits'")
    expect_has(made, name="CPU limits", properties={}, required=[])
    openstack.fails("image metadef object create --namespace machines 'CPU limits'", "409")
    openstack("image metadef object create --namespace machines disk")
    expect(column(openstack("image metadef object list machines"), "name"), ["CPU limits", "disk"], "the objects")
    openstack("image metadef object update machines 'CPU limits' --name quota")
    expect_has(openstack("image metadef object show machines quota"), name="quota")
    # The command makes objects without properties; what lists them needs one.
    put = {"name": "quota", "properties": {"shares": {"title": "Shares", "type": "integer", "minimum": 1}}}
    flow.cloud.admin().call("PUT", "/image/v2/metadefs/namespaces/machines/objects/quota", put, status=200)
    shown = openstack("image metadef object property show machines quota shares")
    expect_has(shown, name="shares", title="Shares", type="integer", minimum=1)
    openstack.fails("image metadef object property show machines quota none")
    openstack("image metadef object delete machines quota")
    flow.gone("image metadef object show machines quota")
    openstack("image metadef object delete machines")
    expect(openstack("image metadef object list machines"), [], "the objects after all were deleted")
    openstack("image metadef namespace delete machines")


def metadef_properties(flow):
    openstack = flow.admin
    openstack("image metadef namespace create machines")
    schema = shlex.quote(json.dumps({"enum": ["kvm", "qemu"], "description": "What runs it", "default": "kvm"}))
    made = openstack(
        f"image metadef property create --name hypervisor --title Hypervisor --type string --schema {schema} machines"
    )
    expect_has(made, name="hypervisor", title="Hypervisor", type="string", enum=["kvm", "qemu"], default="kvm")
    openstack.fails("image metadef property create --name x --title X --type colour --schema '{}' machines", "400")
    openstack.fails("image metadef property create --name hypervisor --title X --type string --schema '{}' machines", "409")
    openstack("image metadef property create --name cores --title Cores --type integer --schema '{\"minimum\": 1}' machines")
    lists(openstack("image metadef property list machines"), "the properties", name="cores", title="Cores", type="integer")
    openstack("image metadef property set machines cores --title 'Many cores' --name many --schema '{\"minimum\": 2}'")
    expect_has(openstack("image metadef property show machines many"), name="many", title="Many cores", type="integer", minimum=2)
    openstack("image metadef property delete machines many")
    flow.gone("image metadef property show machines many")
    openstack("image metadef property delete machines")
    expect(openstack("image metadef property list machines"), [], "the properties after all were deleted")
    openstack("image metadef namespace delete machines")


def metadef_resource_types(flow):
    openstack = flow.admin
    lists(openstack("image metadef resource type list"), "the resource types", Name="OS::Glance::Image")
    openstack("image metadef namespace create machines --protected")
    made = openstack("image metadef resource type association create machines Own::Thing --properties-target user")
    expect_has(made, name="Own::Thing", properties_target="user")
    openstack.fails("image metadef resource type association create machines Own::Thing", "409")
    listed = openstack("image metadef resource type association list machines")
    expect(column(listed, "Name"), ["Own::Thing"], "the associations")
    lists(openstack("image metadef resource type list"), "the resource types", Name="Own::Thing")
    openstack.fails("image metadef resource type association delete machines Own::Thing")
    openstack("image metadef resource type association delete machines Own::Thing --force")
    expect(openstack("image metadef resource type association list machines"), [], "the associations after")
    openstack("image metadef namespace set machines --unprotected")
    openstack("image metadef namespace delete machines")


FLOWS = [metadef_namespaces, metadef_objects, metadef_properties, metadef_resource_types]
