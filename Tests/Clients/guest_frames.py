"""Frames that a guest sends, byte by byte. Nothing checks what they say."""

import ipaddress
import struct

BROADCAST = "ff:ff:ff:ff:ff:ff"
ARP, IP4, IP6 = 0x0806, 0x0800, 0x86DD
UDP, ICMP6 = 17, 58


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def address(text):
    return ipaddress.ip_address(text).packed


def ether(kind, source, target, body):
    return mac(target) + mac(source) + struct.pack("!H", kind) + body


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip4(source, target, proto, body):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 1, 0, 64, proto, 0, address(source), address(target))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body


def ip6(source, target, proto, body):
    return struct.pack("!IHBB", 6 << 28, len(body), proto, 255) + address(source) + address(target) + body


def udp(source, target, body=b""):
    """A datagram without a checksum, which IPv4 allows."""
    return struct.pack("!HHHH", source, target, 8 + len(body), 0) + body


def arp(source, target, claimed, asked=None, claims=None):
    """A reply that says that `claimed` is at `claims`, or at the sender."""
    body = struct.pack("!HHBBH", 1, IP4, 6, 4, 2) + mac(claims or source) + address(claimed) + mac(target) + address(asked or claimed)
    return ether(ARP, source, target, body)


def icmp6(source, target, source_mac, target_mac, body):
    pseudo = address(source) + address(target) + struct.pack("!II", len(body), ICMP6)
    sealed = body[:2] + struct.pack("!H", checksum(pseudo + body)) + body[4:]
    return ether(IP6, source_mac, target_mac, ip6(source, target, ICMP6, sealed))


def advertisement(source, target, source_mac, target_mac, claimed):
    body = bytes([136, 0, 0, 0, 0x20, 0, 0, 0]) + address(claimed) + bytes([2, 1]) + mac(source_mac)
    return icmp6(source, target, source_mac, target_mac, body)


def router(source, target, source_mac, target_mac):
    """An advertisement of a router."""
    return icmp6(source, target, source_mac, target_mac, bytes([134, 0, 0, 0, 64, 0, 7, 8]) + bytes(8))


def fragments(frame, count, options=False):
    """An IPv6 frame in two fragments: the first has `count` bytes. `options` without a meaning may come before the body."""
    body = (bytes([frame[20], 0, 1, 4, 0, 0, 0, 0]) if options else b"") + frame[54:]
    kind = 60 if options else frame[20]
    for place, more, part in ((0, 1, body[:count]), (count, 0, body[count:])):
        yield frame[:18] + struct.pack("!HB", 8 + len(part), 44) + frame[21:54] + struct.pack("!BBHI", kind, 0, place + more, 9) + part


def tagged(frame, *tags):
    """The frame with VLAN tags."""
    return frame[:12] + b"".join(struct.pack("!HH", 0x8100, tag) for tag in tags) + frame[12:]


def dhcp(operation, client, options):
    head = bytes([operation, 1, 6, 0, 1, 2, 3, 4, 0, 0, 0x80, 0]) + bytes(16) + mac(client)
    return head + bytes(236 - len(head)) + bytes([99, 130, 83, 99]) + bytes(options) + b"\xff"


def dhcp_request(source_mac, client, options):
    return ether(IP4, source_mac, BROADCAST, ip4("0.0.0.0", "255.255.255.255", UDP, udp(68, 67, dhcp(1, client, options))))


def link_local(text):
    """The address that a card gives itself (RFC 4291)."""
    parts = bytearray(mac(text))
    parts[0] ^= 2
    return str(ipaddress.IPv6Address(b"\xfe\x80" + bytes(6) + bytes(parts[:3]) + b"\xff\xfe" + bytes(parts[3:])))
