import CLibvirt
import CloudCore
import Drivers
import Foundation
import HostModel
import Synchronization

/// The libvirt library. It is loaded when it is first needed, so that a control plane without machines starts where it
/// is not installed.
///
/// There is one for the process, because libvirt has one event loop for each process.
final class LibvirtLibrary: @unchecked Sendable {  // A table of functions, written once before anybody has it.
    let functions: UnsafePointer<clibvirt_functions>

    private init(_ functions: UnsafePointer<clibvirt_functions>) { self.functions = functions }

    private static let loaded = Mutex<Result<LibvirtLibrary, CloudError>?>(nil)

    /// Returns the library, and loads it the first time.
    ///
    /// - Parameter log: the file for libvirt's own warnings. The first caller's is used.
    /// - Throws: `unavailable` if libvirt is not installed.
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
        // The embedded driver starts guests as children of this process; as a subreaper, it also adopts orphaned
        // guests.
        if clibvirt_become_subreaper() == 0 { Thread.start("novella-reaper") { GuestReaper.run() } }
        Thread.start("novella-libvirt") {
            while true {
                // libvirt itself reports a failure of one turn. Without the pause, a lasting failure would use a whole
                // CPU.
                if library.functions.pointee.virEventRunDefaultImpl() < 0 { usleep(100_000) }
            }
        }
        return library
    }

    /// Returns the last error of this thread. It must be read before the thread does anything else.
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

/// An error of libvirt.
struct LibvirtFailure: Error, CustomStringConvertible {
    /// The code, a `virErrorNumber`.
    let code: Int32
    let message: String

    var description: String { "libvirt \(code): \(message)" }

    func isOne(of codes: virErrorNumber...) -> Bool { codes.contains { $0.rawValue == UInt32(bitPattern: code) } }

    /// Returns the error in the words of the product; libvirt's own words are its detail, for the operator.
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
