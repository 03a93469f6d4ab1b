import CLibvirt
import CloudCore
import Drivers
import Foundation
import HostModel
import Synchronization

/// libvirt itself, loaded when it is first needed: a control plane without machines starts where it is not installed.
///
/// There is one a process, as libvirt has one event loop a process.
final class LibvirtLibrary: @unchecked Sendable {  // A table of functions, written once before anybody has it.
    let functions: UnsafePointer<clibvirt_functions>

    private init(_ functions: UnsafePointer<clibvirt_functions>) { self.functions = functions }

    private static let loaded = Mutex<Result<LibvirtLibrary, CloudError>?>(nil)

    /// - Parameter log: a file for libvirt's own warnings; the first caller's holds.
    /// - Throws: `unavailable` where libvirt is not installed.
    static func load(log: String) throws(CloudError) -> LibvirtLibrary {
        let result = loaded.withLock { loaded in
            let result = loaded ?? Result { () throws(CloudError) in try make(log) }
            loaded = result
            return result
        }
        return try result.get()
    }

    private static func make(_ log: String) throws(CloudError) -> LibvirtLibrary {
        let functions = UnsafeMutablePointer<clibvirt_functions>.allocate(capacity: 1)
        functions.initialize(to: clibvirt_functions())
        if let failure = clibvirt_load(functions, log) {
            throw CloudError(.unavailable, "This host has no hypervisor.", detail: "libvirt: \(String(cString: failure))", code: "no_libvirt")
        }
        let library = LibvirtLibrary(UnsafePointer(functions))
        _ = clibvirt_add_heartbeat(functions, 1000)
        // The embedded driver starts guests as children of this process; whose parent has died become children of ours as well.
        if clibvirt_become_subreaper() == 0 { Thread.start("novella-reaper") { GuestReaper.run() } }
        Thread.start("novella-libvirt") {
            while true {
                // A failure of one turn is libvirt's own to report; without the pause a lasting one would take a whole CPU.
                if library.functions.pointee.virEventRunDefaultImpl() < 0 { usleep(100_000) }
            }
        }
        return library
    }

    /// The last error of this thread, which must be read before the thread does anything else.
    func lastError() -> LibvirtFailure {
        guard let error = functions.pointee.virGetLastError() else { return LibvirtFailure(code: 0, message: "no error") }
        defer { functions.pointee.virResetLastError() }
        return LibvirtFailure(code: error.pointee.code, message: error.pointee.message.map { String(cString: $0) } ?? "")
    }
}

extension Thread {
    static func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread(block: body)
        thread.name = name
        thread.stackSize = 1 << 20
        thread.start()
    }
}

/// What libvirt said.
struct LibvirtFailure: Error, CustomStringConvertible {
    /// virErrorNumber.
    let code: Int32
    let message: String

    var description: String { "libvirt \(code): \(message)" }

    func isOne(of codes: virErrorNumber...) -> Bool { codes.contains { $0.rawValue == UInt32(bitPattern: code) } }

    /// In the words of the product. What libvirt said is for the operator.
    func cloudError(_ doing: String) -> CloudError {
        let detail = "\(doing): \(self)"
        if isOne(of: VIR_ERR_NO_DOMAIN) { return CloudError(.notFound, "Could not find the machine.", detail: detail) }
        if isOne(of: VIR_ERR_OPERATION_INVALID) {
            return CloudError(.conflict, "The machine is not in the state for that.", detail: detail)
        }
        if isOne(of: VIR_ERR_CONFIG_UNSUPPORTED, VIR_ERR_XML_ERROR, VIR_ERR_XML_DETAIL, VIR_ERR_XML_INVALID_SCHEMA) {
            return CloudError(.badRequest, "The host cannot make such a machine.", detail: detail)
        }
        var error = CloudError(.unavailable, "The hypervisor could not do that.", detail: detail, code: "hypervisor_failed")
        error.isTransient = isOne(of: VIR_ERR_OPERATION_TIMEOUT, VIR_ERR_RPC, VIR_ERR_SYSTEM_ERROR, VIR_ERR_NO_CONNECT)
        return error
    }
}
