"""Interfaces of servers: attached, taken away, and what follows at once."""

from harness import Failure, expect

from .people import COMPUTE, NETWORK, NOWHERE, at_once


class Interfaces:
    def __init__(self, people, cidr):
        self.member = people.member()
        self.image, self.flavor = self.member.image(), people.flavor()
        self.network = self.member.subnet(cidr)["network_id"]

    def port(self):
        return self.member.network("ports", network_id=self.network)["id"]

    def boot(self):
        return self.member.boot(self.image, self.flavor)

    def attach(self, server, status=200, person=None, **fields):
        path = f"{COMPUTE}/servers/{server}/os-interface"
        return (person or self.member).ask("POST", path, {"interfaceAttachment": fields}, status=status)


def interfaces_follow_each_other_without_a_pause(people):
    own = Interfaces(people, "10.40.0.0/24")
    ports = [own.port() for _ in range(4)]
    server = own.boot()
    for port in ports:
        own.attach(server, port_id=port)
    for port in ports:
        own.member.ask("DELETE", f"{COMPUTE}/servers/{server}/os-interface/{port}", status=202)


def interfaces_are_attached_at_the_same_time(people):
    own = Interfaces(people, "10.41.0.0/24")
    ports = [own.port() for _ in range(4)]
    server = own.boot()
    answers = at_once(own.member, 4, lambda person, number: own.attach(server, None, person, port_id=ports[number]))
    expect([answer.status for answer in answers], [200] * 4, "the answers")


def whatever_shows_no_task_is_done_behind_an_attachment(people):
    own = Interfaces(people, "10.42.0.0/24")
    actions = ("os-stop", {"reboot": {"type": "HARD"}}, {"createImage": {"name": "copy"}}, "pause", "suspend", "shelve")
    servers = [own.member.boot(own.image, own.flavor, wait=False) for _ in actions]
    wrong = []
    for server, action in zip(servers, actions):
        own.member.becomes(server, "ACTIVE")
        own.attach(server, port_id=own.port())
        shown = own.member.server(server)["OS-EXT-STS:task_state"]
        answer = own.member.act(server, action, status=None)
        if answer.status != 202 and shown is None:
            wrong.append(f"{action}: {answer}")
    if wrong:
        raise Failure("\n".join(wrong))


def an_attachment_that_fails_has_its_own_status_and_leaves_nothing(people):
    own = Interfaces(people, "10.43.0.0/24")
    other_network = own.member.subnet("10.44.0.0/24")["network_id"]
    server, other = own.boot(), own.member.boot(own.image, own.flavor, [{"uuid": own.network}])
    there = own.member.networks("ports", f"device_id={other}")[0]
    taken = there["fixed_ips"][0]["ip_address"]
    own.attach(server, 404, port_id=NOWHERE)
    own.attach(server, 404, net_id=NOWHERE)
    own.attach(server, 409, port_id=there["id"])
    own.attach(server, 409, net_id=own.network, fixed_ips=[{"ip_address": taken}])
    own.attach(server, 400, net_id=own.network, fixed_ips=[{"ip_address": "10.9.9.9"}])
    own.attach(server, 400, net_id=own.network, port_id=there["id"])
    own.attach(server, 400, fixed_ips=[{"ip_address": "10.43.0.9"}])
    own.attach(server, 400, net_id=own.member.network("networks", name="empty")["id"])
    expect(own.member.networks("ports", f"device_id={server}"), [], "what is left of all that")
    made = own.attach(server, net_id=other_network).json["interfaceAttachment"]
    expect(made["net_id"], other_network, "the network that was attached")


def a_port_is_attached_once_and_free_again_when_it_is_taken_away(people):
    own = Interfaces(people, "10.45.0.0/24")
    server, port = own.boot(), own.port()
    answers = at_once(own.member, 4, lambda person, _: own.attach(server, None, person, port_id=port))
    expect(sorted(answer.status for answer in answers), [200, 409, 409, 409], "the answers")
    expect(len(own.member.ask("GET", f"{COMPUTE}/servers/{server}/os-interface").json["interfaceAttachments"]), 1, "interfaces")
    own.member.ask("DELETE", f"{COMPUTE}/servers/{server}/os-interface/{NOWHERE}", status=404)
    own.member.ask("DELETE", f"{COMPUTE}/servers/{server}/os-interface/{port}", status=202)
    own.attach(server, port_id=port)
    expect(own.member.ask("GET", f"{NETWORK}/ports/{port}", status=200).json["port"]["device_id"], server, "whose port it is")


CASES = [
    interfaces_follow_each_other_without_a_pause,
    interfaces_are_attached_at_the_same_time,
    whatever_shows_no_task_is_done_behind_an_attachment,
    an_attachment_that_fails_has_its_own_status_and_leaves_nothing,
    a_port_is_attached_once_and_free_again_when_it_is_taken_away,
]
