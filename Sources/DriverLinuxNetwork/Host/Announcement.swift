import CHostNetwork
import CloudCore
import Drivers
import Foundation
import HostModel
import Programs

/// A message to a network that an address is now at this link. Without it, hosts that have spoken with the last holder
/// keep sending there until their cache expires, which takes minutes.
struct Announcement {
    let namespace: String
    let link: LinkPlan
    let address: IPAddress
    let isRouter: Bool

    /// Sends all messages. A lost one only costs time, so a failure to send throws nothing.
    static func send(_ all: [Announcement], of host: Namespace) throws(CloudError) {
        guard !all.isEmpty else { return }
        try awaitForwarding(Set(all.map(\.link.outer)), host)
        for (name, some) in Dictionary(grouping: all, by: \.namespace) {
            try Namespace(name).run { () throws(CloudError) in
                for each in some { for frame in each.frames { _ = novella_send_frame(each.link.inner, frame, frame.count) } }
            }
        }
    }

    /// Waits until the devices forward: a bridge passes nothing through a new device until the kernel has seen that it
    /// is up.
    private static func awaitForwarding(_ devices: Set<String>, _ host: Namespace) throws(CloudError) {
        struct Member: Decodable {
            var ifname: String
            var state: String?
        }
        for _ in 0..<40 {
            let outcome = try ChildProcess.run("bridge", ["-j", "link", "show"], in: host)
            let decoder = JSONDecoder()  // tidy: allow JSONDecoder, what a program says
            let members = (try? decoder.decode([Member].self, from: Data(outcome.output))) ?? []
            if !members.contains(where: { devices.contains($0.ifname) && $0.state != "forwarding" }) { return }
            usleep(25_000)
        }
    }

    /// The frames to send: for IPv4 a request and a reply, because some hosts accept only one of them (RFC 5944, 4.6);
    /// for IPv6 an advertisement with the override flag.
    var frames: [[UInt8]] {
        let mac = link.mac.bytes
        guard address.version == .v6 else {
            let broadcast = [UInt8](repeating: 0xff, count: 6)
            return [UInt8(1), 2].map { operation in
                broadcast + mac + [8, 6, 0, 1, 8, 0, 6, 4, 0, operation] + mac + address.bytes
                    + (operation == 1 ? [0, 0, 0, 0, 0, 0] : mac) + address.bytes
            }
        }
        let all = IPAddress(.v6, 0xff02 << 112 | 1)
        var body: [UInt8] = [136, 0, 0, 0, isRouter ? 0xa0 : 0x20, 0, 0, 0] + address.bytes + [2, 1] + mac
        let sum = Self.checksum(address.bytes + all.bytes + [0, 0, 0, UInt8(body.count), 0, 0, 0, 58] + body)
        body.replaceSubrange(2..<4, with: [UInt8(sum >> 8), UInt8(sum & 0xff)])
        let header: [UInt8] = [0x60, 0, 0, 0, 0, UInt8(body.count), 58, 255]
        return [[0x33, 0x33, 0, 0, 0, 1] + mac + [0x86, 0xdd] + header + address.bytes + all.bytes + body]
    }

    private static func checksum(_ bytes: [UInt8]) -> UInt16 {
        var sum = stride(from: 0, to: bytes.count - 1, by: 2).reduce(UInt32(0)) { $0 + (UInt32(bytes[$1]) << 8 | UInt32(bytes[$1 + 1])) }
        while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
        return ~UInt16(sum)
    }
}
