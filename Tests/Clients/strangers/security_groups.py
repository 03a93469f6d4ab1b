"""Security groups and their rules."""

from harness import expect, expect_has

from .people import NETWORK, NOWHERE, at_once, refused, single


class Group:
    """A group of a new project, and rules for it."""

    def __init__(self, people):
        self.member = people.member()
        self.group = self.member.network("security-groups", name="group")

    def ask(self, member=None, **fields):
        body = {"security_group_id": self.group["id"], "direction": "ingress", "ethertype": "IPv4"} | fields
        return (member or self.member).ask("POST", f"{NETWORK}/security-group-rules", {"security_group_rule": body})

    def is_there_already(self, there, **fields):
        answer = self.ask(**fields)
        refused(answer, 409, "SecurityGroupRuleExists")
        expect(there in answer.json["NeutronError"]["message"], True, f"whether {answer} names the rule that is there")

    def shows(self, wanted, **fields):
        """The rule is made and has these values; it is taken away again."""
        answer = self.ask(**fields)
        expect(answer.status, 201, f"{fields}: {answer}")
        rule = answer.json["security_group_rule"]
        self.member.ask("DELETE", f"{NETWORK}/security-group-rules/{rule['id']}", status=204)
        expect_has(rule, f"the rule of {fields}", **wanted)


def a_rule_that_is_there_is_refused_however_it_is_spelled(people):
    group = Group(people)
    egress = next(rule["id"] for rule in group.group["security_group_rules"] if rule["ethertype"] == "IPv6")
    group.is_there_already(egress, direction="egress", ethertype="IPv6", remote_ip_prefix="::/0")
    group.is_there_already(egress, direction="egress", ethertype="IPv6", protocol="any")
    ssh = group.ask(protocol="tcp", port_range_min=22, port_range_max=22).json["security_group_rule"]["id"]
    for same in (
        {"protocol": "tcp", "port_range_min": 22, "port_range_max": 22, "remote_ip_prefix": "0.0.0.0/0"},
        {"protocol": 6, "port_range_min": 22, "port_range_max": 22},
        {"protocol": "TCP", "port_range_min": "22", "port_range_max": "22", "ethertype": "ipv4"},
        {"protocol": "tcp", "port_range_min": 22, "port_range_max": 22, "description": "in other words"},
    ):
        group.is_there_already(ssh, **same)
    ping = group.ask(protocol="icmpv6", ethertype="IPv6").json["security_group_rule"]["id"]
    for spelled in ("ipv6-icmp", "icmp", "58"):
        group.is_there_already(ping, protocol=spelled, ethertype="IPv6")
    whole = group.ask(protocol="udp").json["security_group_rule"]["id"]
    group.is_there_already(whole, protocol="17", port_range_min=1, port_range_max=65535)
    expect(group.ask(protocol="tcp", port_range_min=22, port_range_max=22, remote_ip_prefix="10.0.0.0/8").status, 201, "another prefix")


def of_equal_rules_asked_for_at_once_one_is_made(people):
    group = Group(people)
    answers = at_once(group.member, 8, lambda own, _: group.ask(own, protocol="udp", port_range_min=53, port_range_max=53))
    expect(sorted(answer.status for answer in answers), [201] + [409] * 7, "the answers")


def equal_rules_in_one_request_are_refused_together(people):
    group = Group(people)
    rules = [
        {"security_group_id": group.group["id"], "direction": "ingress", "protocol": name, "port_range_min": 80, "port_range_max": 80}
        for name in ("tcp", "6")
    ]
    answer = group.member.ask("POST", f"{NETWORK}/security-group-rules", {"security_group_rules": rules})
    refused(answer, 409, "DuplicateSecurityGroupRuleInPost")
    expect(group.member.networks("security-group-rules", f"security_group_id={group.group['id']}&port_range_min=80"), [], "what stays")


def a_rule_is_shown_in_its_one_form(people):
    group = Group(people)
    group.shows({"protocol": "ipv6-icmp"}, protocol="icmpv6", ethertype="IPv6")
    group.shows({"protocol": "ipv6-icmp"}, protocol="icmp", ethertype="IPv6")
    group.shows({"protocol": "58"}, protocol="1", ethertype="IPv6")
    group.shows({"port_range_min": 128, "port_range_max": None}, protocol="ipv6-icmp", ethertype="IPv6", port_range_min=128)
    group.shows({"port_range_min": 0, "port_range_max": 0, "ethertype": "IPv4"}, protocol="icmp", port_range_min=0, port_range_max=0)
    group.shows({"port_range_min": 8, "port_range_max": 0}, protocol="icmp", port_range_min=8, port_range_max=0)
    group.shows({"port_range_min": 1, "port_range_max": 42}, protocol="icmp", port_range_min=1, port_range_max=42)
    group.shows({"protocol": None}, protocol="any")
    group.shows({"protocol": "112"}, protocol=112)
    group.shows({"protocol": "vrrp"}, protocol="vrrp")
    group.shows({"port_range_max": 2}, protocol="sctp", port_range_min=1, port_range_max=2)
    group.shows({"port_range_min": None, "port_range_max": None}, protocol="tcp", port_range_min=1, port_range_max=65535)
    group.shows({"remote_ip_prefix": "10.1.2.3/24", "normalized_cidr": "10.1.2.0/24"}, protocol="tcp", remote_ip_prefix="10.1.2.3/24")
    group.shows({"remote_ip_prefix": "10.1.2.3/32"}, protocol="tcp", remote_ip_prefix="10.1.2.3")
    own = group.group["id"]
    group.shows({"remote_group_id": own, "remote_ip_prefix": None}, protocol="tcp", remote_group_id=own)


def a_rule_that_contradicts_itself_is_refused_by_its_own_name(people):
    group = Group(people)
    ports = {"port_range_min": 10, "port_range_max": 11}
    for kind, fields in (
        ("SecurityGroupInvalidPortValue", {"protocol": "icmp", "port_range_min": -1, "port_range_max": -1}),
        ("SecurityGroupMissingIcmpType", {"protocol": "icmp", "port_range_max": 3}),
        ("SecurityGroupInvalidIcmpValue", {"protocol": "icmp", "port_range_min": 256}),
        ("SecurityGroupInvalidPortValue", {"protocol": "tcp", "port_range_min": 0, "port_range_max": 10}),
        ("SecurityGroupInvalidPortRange", {"protocol": "tcp", "port_range_min": 10}),
        ("SecurityGroupInvalidPortRange", {"protocol": "tcp", "port_range_min": 10, "port_range_max": 9}),
        ("SecurityGroupProtocolRequiredWithPorts", ports),
        ("SecurityGroupInvalidProtocolForPort", {"protocol": "vrrp"} | ports),
        ("SecurityGroupEthertypeConflictWithProtocol", {"protocol": "icmpv6"}),
        ("SecurityGroupRuleParameterConflict", {"protocol": "tcp", "ethertype": "IPv6", "remote_ip_prefix": "0.0.0.0/0"}),
        ("SecurityGroupRuleParameterConflict", {"protocol": "tcp", "remote_ip_prefix": "::/0"}),
        ("SecurityGroupMultipleRemoteEntites", {"remote_ip_prefix": "10.0.0.0/8", "remote_group_id": group.group["id"]}),
        ("SecurityGroupRuleInvalidProtocol", {"protocol": "nonsense"}),
        ("SecurityGroupRuleInvalidProtocol", {"protocol": "256"}),
        ("InvalidCIDR", {"protocol": "tcp", "remote_ip_prefix": "no prefix"}),
    ):
        refused(group.ask(**fields), 400, kind)
    refused(group.ask(protocol="tcp", remote_group_id=NOWHERE), 404, "SecurityGroupNotFound")


def a_port_has_no_group_twice_and_not_both_kinds(people):
    group = Group(people)
    stateless = group.member.network("security-groups", name="stateless", stateful=False)["id"]
    network = group.member.subnet("10.30.0.0/24")["network_id"]
    both = group.member.network("ports", 409, network_id=network, security_groups=[group.group["id"], stateless])
    refused(both, 409, "SecurityGroupConflict")
    group.member.network("ports", 400, network_id=network, security_groups=[stateless, stateless])


def the_quota_of_rules_holds_when_a_group_is_made(people):
    member = people.member()
    member.networks("security-groups")
    people.admin.ask("PUT", f"{NETWORK}/quotas/{member.project}", {"quota": {"security_group_rule": 5}}, status=200)
    member.network("security-groups", 409, name="one too many")


def a_project_that_is_named_has_its_default_group(people):
    member = people.member()
    found = people.admin.networks("security-groups", f"project_id={member.project}")
    expect([group["name"] for group in found], ["default"], "the groups of a new project")


def a_default_rule_that_is_there_is_refused(people):
    rule = {"direction": "ingress", "ethertype": "IPv4", "protocol": "tcp", "port_range_min": 2222, "port_range_max": 2222}
    path = f"{NETWORK}/default-security-group-rules"
    kind = single("default-security-group-rules")
    made = people.admin.ask("POST", path, {kind: rule | {"remote_ip_prefix": None}}, status=201).json[kind]["id"]
    try:
        people.admin.ask("POST", path, {kind: rule | {"remote_ip_prefix": "0.0.0.0/0"}}, status=409)
    finally:
        people.admin.ask("DELETE", f"{path}/{made}", status=204)


CASES = [
    a_rule_that_is_there_is_refused_however_it_is_spelled,
    of_equal_rules_asked_for_at_once_one_is_made,
    equal_rules_in_one_request_are_refused_together,
    a_rule_is_shown_in_its_one_form,
    a_rule_that_contradicts_itself_is_refused_by_its_own_name,
    a_port_has_no_group_twice_and_not_both_kinds,
    the_quota_of_rules_holds_when_a_group_is_made,
    a_project_that_is_named_has_its_default_group,
    a_default_rule_that_is_there_is_refused,
]
