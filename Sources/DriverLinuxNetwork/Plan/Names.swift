import CloudCore
import Crypto

/// The names of devices, namespaces and tables on the host. They are made only of ids, never change, and have at most
/// the kernel's 15 characters if they name devices.
///
/// The tag in front distinguishes the names of several drivers on one machine.
struct Names: Hashable, Sendable {
    let tag: String

    /// - Parameter tag: one to three characters of a-z and 0-9.
    init(tag: String) throws(CloudError) {
        guard (1...3).contains(tag.utf8.count), tag.utf8.allSatisfy({ Self.alphabet.contains($0) }) else {
            throw .internalError("the tag of the host's networks must be one to three of a-z and 0-9: \(tag)")
        }
        self.tag = tag
    }

    private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)

    /// Returns ten characters that stand for 51 bits of an id. If two ids on a host have the same characters, the
    /// second is refused (`HostPlan.problems`).
    static func short(_ id: String) -> String {
        var number = SHA256.hash(data: Array(id.utf8)).prefix(7).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        var characters: [UInt8] = []
        for _ in 0..<10 {
            characters.append(alphabet[Int(number % 36)])
            number /= 36
        }
        return String(decoding: characters, as: UTF8.self)
    }

    func bridge(_ network: String) -> String { tag + "b" + Self.short(network) }
    func tunnel(_ network: String) -> String { tag + "t" + Self.short(network) }
    /// Returns the name of the end of a pair that is in the bridge.
    func outer(_ port: String) -> String { tag + "o" + Self.short(port) }
    /// Returns the name of the end that is in the namespace.
    func inner(_ port: String) -> String { tag + "i" + Self.short(port) }
    func serviceNamespace(_ network: String) -> String { tag + "-net-" + Self.short(network) }
    func routerNamespace(_ router: String) -> String { tag + "-router-" + Self.short(router) }
    var table: String { "novella_" + tag }

    /// Returns whether a device's name is one of these names. A tap has another name; its bridge identifies it.
    func isOwn(link name: String) -> Bool { name.utf8.count == tag.utf8.count + 11 && ["b", "t", "o"].contains { name.hasPrefix(tag + $0) } }
    func isOwn(namespace name: String) -> Bool { name.hasPrefix(tag + "-net-") || name.hasPrefix(tag + "-router-") }

    /// Returns whether the kernel and every tool accept the name unchanged.
    static func isPlain(device name: String) -> Bool {
        (1...15).contains(name.utf8.count) && name.first != "-"
            && name.utf8.allSatisfy { alphabet.contains($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }
}
