import CLibvirt
import CloudCore
import Drivers
import Foundation
import HostModel

/// The calls about libvirt's domains that machines need. They run on a thread that may block.
struct Domains {
    let calls: LibvirtConnection.Calls

    struct State {
        var power: PowerState
        var reason: String?
        /// Whether QEMU runs.
        var isActive: Bool
        /// The names of the devices of disks that have no room for what the guest has written.
        var fullTargets: [String] = []
    }

    private var functions: clibvirt_functions { calls.functions }

    /// Calls the body with the machine's domain.
    ///
    /// - Returns: the body's value; nil if there is no such domain.
    func find<Value>(_ id: MachineID, _ body: (OpaquePointer) throws -> Value) throws -> Value? {
        guard let domain = functions.virDomainLookupByUUIDString(calls.connection, id.text) else {
            let failure = calls.library.lastError()
            if failure.isOne(of: VIR_ERR_NO_DOMAIN) { return nil }
            throw failure.cloudError("look for \(id)")
        }
        defer { _ = functions.virDomainFree(domain) }
        return try body(domain)
    }

    @discardableResult
    func with<Value>(_ id: MachineID, _ body: (OpaquePointer) throws -> Value) throws -> Value {
        guard let value = try find(id, body) else { throw CloudError.notFound("machine", id.text) }
        return value
    }

    func state(_ id: MachineID) throws -> State? { try find(id) { try state(of: $0) } }

    /// Returns the states of all domains, by UUID.
    func states() throws -> [String: State] {
        var list: UnsafeMutablePointer<OpaquePointer?>?
        let count = try calls.check("list", functions.virConnectListAllDomains(calls.connection, &list, 0))
        guard let list else { return [:] }
        defer { free(list) }
        var states: [String: State] = [:]
        for at in 0..<Int(count) {
            guard let domain = list[at] else { continue }
            defer { _ = functions.virDomainFree(domain) }
            var uuid = [CChar](repeating: 0, count: Int(VIR_UUID_STRING_BUFLEN))
            guard functions.virDomainGetUUIDString(domain, &uuid) == 0 else { continue }
            // A domain that disappears while the list is read is left out.
            if let state = try? state(of: domain) { states[uuid.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } } ?? ""] = state }
        }
        return states
    }

    private func state(of domain: OpaquePointer) throws -> State {
        var (number, reason): (Int32, Int32) = (0, 0)
        try calls.check("state", functions.virDomainGetState(domain, &number, &reason, 0))
        switch virDomainState(rawValue: UInt32(bitPattern: number)) {
        case VIR_DOMAIN_RUNNING, VIR_DOMAIN_BLOCKED, VIR_DOMAIN_SHUTDOWN: return State(power: .running, isActive: true)
        case VIR_DOMAIN_PAUSED, VIR_DOMAIN_PMSUSPENDED:
            guard UInt32(bitPattern: reason) == VIR_DOMAIN_PAUSED_IOERROR.rawValue else {
                return State(power: .paused, isActive: true)
            }
            return State(
                power: .paused, reason: "there is no room for what the guest writes", isActive: true,
                fullTargets: fullTargets(of: domain))
        case VIR_DOMAIN_CRASHED: return State(power: .crashed, reason: "the guest crashed", isActive: true)
        default: break
        }
        if functions.virDomainHasManagedSaveImage(domain, 0) == 1 { return State(power: .suspended, isActive: false) }
        switch virDomainShutoffReason(rawValue: UInt32(bitPattern: reason)) {
        case VIR_DOMAIN_SHUTOFF_CRASHED: return State(power: .crashed, reason: "the guest crashed", isActive: false)
        case VIR_DOMAIN_SHUTOFF_FAILED: return State(power: .off, reason: "it could not be started", isActive: false)
        case VIR_DOMAIN_SHUTOFF_SHUTDOWN: return State(power: .off, reason: "the guest stopped", isActive: false)
        case VIR_DOMAIN_SHUTOFF_DESTROYED: return State(power: .off, reason: "powered off", isActive: false)
        default: return State(power: .off, isActive: false)
        }
    }

    /// Returns the names of the devices of disks without room. QEMU pauses a machine for no other error.
    private func fullTargets(of domain: OpaquePointer) -> [String] {
        // No machine has more disks than its buses have places.
        var errors = [virDomainDiskError](repeating: virDomainDiskError(), count: 64)
        let count = functions.virDomainGetDiskErrors(domain, &errors, UInt32(errors.count), 0)
        guard count >= 0 else {
            functions.virResetLastError()
            return []
        }
        return errors.prefix(Int(count)).compactMap { error -> String? in
            guard let name = calls.text(error.disk) else { return nil }
            return error.error == Int32(VIR_DOMAIN_DISK_ERROR_NO_SPACE.rawValue) ? name : nil
        }
    }

    func define(_ xml: String) throws {
        let domain = try calls.check("define", functions.virDomainDefineXML(calls.connection, xml))
        _ = functions.virDomainFree(domain)
    }

    func create(_ id: MachineID) throws { try with(id) { _ = try calls.check("start \(id)", functions.virDomainCreate($0)) } }

    /// Ends QEMU. Has no effect if it does not run.
    func destroy(_ id: MachineID) throws {
        _ = try find(id) { domain in
            guard try state(of: domain).isActive, functions.virDomainDestroy(domain) < 0 else { return }
            let failure = calls.library.lastError()
            if try state(of: domain).isActive { throw failure.cloudError("stop \(id)") }
        }
    }

    func forgetMemory(_ id: MachineID) throws {
        try with(id) { _ = try calls.check("forget the memory of \(id)", functions.virDomainManagedSaveRemove($0, 0)) }
    }

    /// Ends the machine's QEMU and removes its domain. Has no effect if there is none.
    ///
    /// - Throws: `internalError` for a domain that is not ours.
    func remove(_ id: MachineID) throws {
        try find(id) { domain in
            guard isOurs(domain) else { throw CloudError.internalError("the domain \(id) is not one of ours") }
        }
        try destroy(id)
        _ = try find(id) { domain in
            let flags =
                VIR_DOMAIN_UNDEFINE_MANAGED_SAVE.rawValue | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA.rawValue
                | VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA.rawValue | VIR_DOMAIN_UNDEFINE_NVRAM.rawValue
            try calls.check("remove \(id)", functions.virDomainUndefineFlags(domain, flags))
        }
    }

    private func isOurs(_ domain: OpaquePointer) -> Bool {
        let mark = functions.virDomainGetMetadata(domain, Int32(VIR_DOMAIN_METADATA_ELEMENT.rawValue), DomainXML.namespace, 0)
        return calls.text(mark) != nil
    }

    /// Returns libvirt's document of the machine: the running one's if it runs.
    func document(_ id: MachineID) throws -> String {
        try with(id) { calls.text(functions.virDomainGetXMLDesc($0, 0)) ?? "" }
    }
}
