import CloudCore
import Drivers
import Foundation
import HostModel
import Programs

/// The devices of a namespace, as `ip -json` lists them.
struct ObservedLinks {
    struct Link: Decodable {
        struct Info: Decodable {
            var info_kind: String?
        }
        struct Address: Decodable {
            var local: String?
            var prefixlen: Int?
            var scope: String?
            var dynamic: Bool?

            var text: String? { local.flatMap { IPAddress($0) }.flatMap { local in prefixlen.map { "\(local)/\($0)" } } }
            /// Whether the kernel gave the address to the device by itself.
            var isOfTheKernel: Bool { scope == "host" || scope == "link" && local?.hasPrefix("fe80") == true }
        }

        var ifname: String
        var mtu: Int
        var master: String?
        var flags: [String]
        var address: String?
        var linkinfo: Info?
        var addr_info: [Address]?
        var inet6_addr_gen_mode: String?

        var isUp: Bool { flags.contains("UP") }
        var kind: String? { linkinfo?.info_kind }
    }

    struct FoundRoute: Decodable {
        var dst: String?
        var gateway: String?
    }

    struct FoundForwarding: Decodable {
        var mac: String?
        var dst: String?
    }

    var links: [String: Link]

    /// Reads the devices of a namespace.
    ///
    /// - Parameter hasAddresses: whether to ask for addresses instead of the way in which devices get them; the program
    ///   tells only one of the two.
    /// - Throws: `unavailable`.
    init(in namespace: Namespace, hasAddresses: Bool = false) throws(CloudError) {
        let found: [Link] = try Self.read(["-j", "-d", hasAddresses ? "address" : "link", "show"], namespace)
        links = Dictionary(found.map { ($0.ifname, $0) }) { first, _ in first }
    }

    static func routes(in namespace: Namespace) throws(CloudError) -> Set<RoutePlan> {
        var routes: Set<RoutePlan> = []
        for (version, family) in [(IPAddress.Version.v4, "-4"), (.v6, "-6")] {
            let found: [FoundRoute] = try read([family, "-j", "route", "show"], namespace)
            for route in found {
                guard let hop = route.gateway.flatMap({ IPAddress($0) }), let text = route.dst else { continue }
                let all = IPPrefix(IPAddress(version, 0), 0)
                if let destination = text == "default" ? all : IPPrefix(text, alone: true) {
                    routes.insert(RoutePlan(destination: destination, nextHop: hop))
                }
            }
        }
        return routes
    }

    static func forwarding(_ device: String, in namespace: Namespace) throws(CloudError) -> Set<ForwardingEntry> {
        let outcome = try ChildProcess.run("bridge", ["-j", "fdb", "show", "dev", device], in: namespace)
        let decoder = JSONDecoder()  // tidy: allow JSONDecoder, what a program says
        let found = (try? decoder.decode([FoundForwarding].self, from: Data(outcome.output))) ?? []
        return Set(found.compactMap { entry in
            guard let mac = entry.mac, let host = entry.dst else { return nil }
            return ForwardingEntry(mac: mac, host: host)
        })
    }

    private static func read<Value: Decodable>(_ arguments: [String], _ namespace: Namespace) throws(CloudError) -> [Value] {
        let output = try ChildProcess.require("ip", arguments, in: namespace)
        if output.isEmpty { return [] }
        let decoder = JSONDecoder()  // tidy: allow JSONDecoder, what a program says
        do { return try decoder.decode([Value].self, from: Data(output)) } catch {
            throw ChildProcess.failure("ip", "\(arguments.joined(separator: " ")): \(error)")
        }
    }
}
