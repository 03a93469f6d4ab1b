import CHostNetwork
import CloudCore
import Drivers
import Foundation
import HostModel
import Programs
import TestSupport
import Testing
@testable import DriverLinuxNetwork

/// A namespace that stands for a host, and others that stand for guests and outside machines. The packets are real, but
/// nothing of this machine is touched. Everything is removed afterwards, also if the test fails.
final class Lab: Sendable {
    let tag: String
    let folder: String
    let guests = Box<[String: Guest]>([:])

    var host: String { tag + "-host" }

    private init(folder: String) throws {
        tag = String((0..<3).map { _ in "abcdefghijklmnopqrstuvwxyz0123456789".randomElement() ?? "a" })
        self.folder = folder
    }

    static let isPossible: Bool = {
        guard geteuid() == 0, LinuxNetwork.programs.allSatisfy({ ProgramRun.path(of: $0) != nil }) else { return false }
        let name = "novella-try-\(getpid())"
        defer { _ = try? ChildProcess.run("ip", ["netns", "delete", name]) }
        guard (try? ChildProcess.require("ip", ["netns", "add", name])) != nil, let space = try? Namespace(name) else { return false }
        return (try? space.run { access("/proc/sys/net/bridge/bridge-nf-call-iptables", F_OK) == 0 }) == true
    }()

    static func with(_ body: (Lab) async throws -> Void) async throws {
        try await withTemporaryDirectory { folder in
            chmod(folder, 0o755)
            let lab = try Lab(folder: folder)
            defer { lab.clean() }
            try lab.ip(["netns add \(lab.host)"])
            try lab.ip(["link set dev lo up"], in: lab.host)
            try lab.keepFlows()
            try await body(lab)
        }
    }

    /// Keeps the connections of UDP for ten minutes. On a busy machine, the usual 30 seconds end within a test.
    private func keepFlows() throws {
        let names = ["nf_conntrack_udp_timeout", "nf_conntrack_udp_timeout_stream"]
        let isSet = try Namespace(host).run {
            names.allSatisfy { name in
                (try? Data("600".utf8).write(to: URL(filePath: "/proc/sys/net/netfilter/\(name)"))) != nil
            }
        }
        try #require(isSet)
    }

    /// Returns a driver as a new process opens it.
    func driver(_ overrides: [String: String] = [:], mostFlows: Int? = nil) throws -> LinuxNetwork {
        var settings = LinuxNetwork.Settings(folder: folder + "/net", tag: tag, hostNamespace: host)
        settings.ruleOverrides = overrides
        if let mostFlows { settings.mostFlows = mostFlows }
        return try LinuxNetwork(settings)
    }

    func ip(_ lines: [String], in space: String? = nil) throws {
        var batch = Batch()
        for line in lines { batch.add(line) }
        let failed = try batch.run(in: Namespace(space))
        try #require(failed.isEmpty, "\(failed)")
    }

    /// Connects a guest to the port's tap.
    @discardableResult
    func plug(_ port: PortSpec, gateway: [IPAddress] = [], length: Int = 24) throws -> Guest {
        try plug(port.id, device: port.tap, mac: port.mac, addresses: port.fixedIPs.map { InterfaceAddress($0.address, $0.address.version == .v4 ? length : 64) }, gateway: gateway)
    }

    @discardableResult
    func plug(_ id: String, device: String, mac: MACAddress, addresses: [InterfaceAddress], gateway: [IPAddress] = []) throws -> Guest {
        let space = "\(tag)-guest-\(Names.short(id))"
        try ip(["netns add \(space)", "link add name \(device) type veth peer name eth0 address \(mac) netns \(space)"], in: host)
        try ip(
            ["link set dev lo up", "link set dev eth0 addrgenmode none", "link set dev eth0 up"]
                + addresses.map { "address add \($0.text) dev eth0" + ($0.address.version == .v6 ? " nodad" : "") }
                + gateway.map { "route add default via \($0)" }, in: space)
        let guest = try Guest(Namespace(space), mac: mac)
        guests.update { $0[id] = guest }
        return guest
    }

    /// Waits until every device in a bridge forwards, since the kernel notices a new carrier with a delay.
    func settle() async throws {
        struct Member: Decodable { var state: String }
        try await eventually("all bridges forward") {
            let output = try ChildProcess.require("bridge", ["-j", "link", "show"], in: Namespace(host))
            return try JSONDecoder().decode([Member].self, from: Data(output)).allSatisfy { $0.state == "forwarding" }
        }
    }

    func clean() {
        guests.update { $0 = [:] }
        var servers = DHCPServers(folder: folder + "/net")
        for name in servers.names { servers.remove(name) }
        // The devices of a namespace are removed with it.
        for name in Namespace.all where name.hasPrefix(tag + "-") { _ = try? ChildProcess.run("ip", ["netns", "delete", name]) }
    }
}

/// A guest that sends and receives raw frames.
final class Guest: Sendable {
    let space: Namespace
    let mac: MACAddress
    private let socket: Int32
    private let heard = Box<[Frame]>([])

    init(_ space: Namespace, mac: MACAddress) throws {
        self.space = space
        self.mac = mac
        socket = try space.run { () throws(CloudError) in
            // AF_PACKET, all protocols.
            let socket = Glibc.socket(17, Int32(SOCK_RAW.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue), Int32(UInt16(3).bigEndian))
            guard socket >= 0 else { throw .internalError("socket: \(errno)") }
            var address = [UInt8](repeating: 0, count: 20)
            address[0] = 17
            address[3] = 3
            withUnsafeBytes(of: Int32(if_nametoindex("eth0"))) { address.replaceSubrange(4..<8, with: $0) }
            let code = address.withUnsafeBytes { bind(socket, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), 20) }
            guard code == 0 else { throw .internalError("bind: \(errno)") }
            return socket
        }
    }

    deinit { close(socket) }

    func send(_ frame: Frame) {
        let count = frame.bytes.withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, 0) }
        #expect(count == frame.bytes.count, "errno \(errno)")
    }

    func forget() {
        _ = frames
        heard.update { $0 = [] }
    }

    /// All frames that have come since `forget`, except the guest's own.
    var frames: [Frame] {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count > 0 else { return heard.value }
            let frame = Frame(bytes: Array(buffer.prefix(count)))
            if frame.source != mac { heard.update { $0.append(frame) } }
        }
    }
}
