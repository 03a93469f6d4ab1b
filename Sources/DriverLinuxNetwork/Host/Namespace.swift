import CHostNetwork
import CloudCore
import Drivers
import Foundation
import HostModel

/// A network namespace that is held open.
final class Namespace: Sendable {
    /// The folder in which `ip netns` keeps namespaces.
    static let folder = "/run/netns"

    let name: String?
    let descriptor: Int32

    /// Opens the namespace with the name; nil opens that of this process.
    init(_ name: String?) throws(CloudError) {
        self.name = name
        let path = name.map { Self.folder + "/" + $0 } ?? "/proc/self/ns/net"
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ChildProcess.failure("namespace \(name ?? "of the host")", String(cString: strerror(errno))) }
    }

    deinit { close(descriptor) }

    /// The names of all named namespaces.
    static var all: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted() }

    /// Runs `body` inside the namespace, on a thread of its own that ends afterwards. A thread of the process's pool
    /// would stay in the namespace if it could not return.
    func run<Value>(_ body: () throws(CloudError) -> Value) throws(CloudError) -> Value {
        var result: Result<Value, CloudError>?
        var code: Int32 = 0
        defer { withExtendedLifetime(self) {} }
        let work = { result = Result(catching: { () throws(CloudError) in try body() }) }
        withoutActuallyEscaping(work) { work in
            var work = work
            code = withUnsafeMutablePointer(to: &work) { pointer in
                novella_in_namespace(descriptor, { $0?.assumingMemoryBound(to: (() -> Void).self).pointee() }, pointer)
            }
        }
        guard let result else { throw ChildProcess.failure("namespace \(name ?? "of the host")", String(cString: strerror(code))) }
        return try result.get()
    }

    /// Sets the settings below `/proc/sys/net` that differ from the wanted values.
    ///
    /// - Returns: whether anything was changed.
    @discardableResult
    func set(_ settings: [(path: String, value: String)]) throws(CloudError) -> Bool {
        try run { () throws(CloudError) in
            var hasChanged = false
            for (path, value) in settings {
                let path = "/proc/sys/net/" + path
                let found = KernelFile.text(path)
                if found?.trimmingCharacters(in: .whitespacesAndNewlines) == value { continue }
                let file = open(path, O_WRONLY | O_CLOEXEC)
                guard file >= 0 else { throw ChildProcess.failure(path, String(cString: strerror(errno))) }
                defer { close(file) }
                guard write(file, value, value.utf8.count) == value.utf8.count else {
                    throw ChildProcess.failure(path, String(cString: strerror(errno)))
                }
                hasChanged = true
            }
            return hasChanged
        }
    }

    /// Returns the value of a setting below `/proc/sys/net`; nil if there is no such setting.
    func setting(_ path: String) throws(CloudError) -> String? {
        try run { () throws(CloudError) in
            KernelFile.text("/proc/sys/net/" + path)?.trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }

    /// Returns a TCP socket that listens inside the namespace. The caller owns it.
    ///
    /// - Parameter device: the only device from which connections are accepted; nil for all devices.
    func listen(at address: IPAddress, port: UInt16, device: String? = nil) throws(CloudError) -> Int32 {
        try run { () throws(CloudError) in
            let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC | O_NONBLOCK, 0)
            guard listener >= 0 else { throw ChildProcess.failure("socket", String(cString: strerror(errno))) }
            var yes: Int32 = 1
            setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
            // Two processes may listen while one takes over from the other.
            setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &yes, socklen_t(MemoryLayout<Int32>.size))
            if let device, setsockopt(listener, SOL_SOCKET, SO_BINDTODEVICE, device, socklen_t(device.utf8.count)) != 0 {
                let detail = String(cString: strerror(errno))
                close(listener)
                throw ChildProcess.failure("listen at \(device)", detail)
            }
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = port.bigEndian
            name.sin_addr.s_addr = UInt32(truncatingIfNeeded: address.value).bigEndian
            let code = withUnsafePointer(to: &name) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
            }
            guard code == 0, Glibc.listen(listener, 128) == 0 else {
                let detail = String(cString: strerror(errno))
                close(listener)
                throw ChildProcess.failure("listen at \(address)", detail)
            }
            return listener
        }
    }
}
