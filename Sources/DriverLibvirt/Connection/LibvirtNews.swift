import CLibvirt
import CloudCore
import Drivers
import HostModel
import Synchronization

/// The source of a driver's events, made from libvirt's.
final class LibvirtNews: Sendable {
    let hub = EventHub<MachineEvent>()
    private let clock: any WallClock
    private struct State {
        /// The machines that this driver has asked to stop; their end is not the guest's own.
        var stopping: Set<MachineID> = []
        var last: [MachineID: MachineEvent.Kind] = [:]
    }
    private let state = Mutex(State())

    init(clock: any WallClock) { self.clock = clock }

    func willStop(_ id: MachineID) { state.withLock { _ = $0.stopping.insert(id) } }
    func mayStop(_ id: MachineID) { state.withLock { _ = $0.stopping.remove(id) } }

    /// Takes an event, on the thread of the event loop, which must not block.
    func heard(_ id: MachineID, event: Int32, detail: Int32) {
        let kind = state.withLock { state -> MachineEvent.Kind? in
            guard let kind = Self.kind(event, detail, isAsked: state.stopping.contains(id)) else { return nil }
            // QEMU also reports "resumed" at each start, and twice after a restore.
            if kind == .resumed, state.last[id] != .paused, state.last[id] != .suspended { return nil }
            state.last[id] = kind == .removed ? nil : kind
            return kind
        }
        if let kind { hub.send(MachineEvent(machine: id, kind: kind, at: clock.now)) }
    }

    static func kind(_ event: Int32, _ detail: Int32, isAsked: Bool) -> MachineEvent.Kind? {
        func isDetail(_ number: UInt32) -> Bool { UInt32(bitPattern: detail) == number }
        switch virDomainEventType(rawValue: UInt32(bitPattern: event)) {
        case VIR_DOMAIN_EVENT_DEFINED: return isDetail(VIR_DOMAIN_EVENT_DEFINED_ADDED.rawValue) ? .defined : nil
        case VIR_DOMAIN_EVENT_UNDEFINED: return .removed
        case VIR_DOMAIN_EVENT_STARTED: return isDetail(VIR_DOMAIN_EVENT_STARTED_RESTORED.rawValue) ? .resumed : .started
        case VIR_DOMAIN_EVENT_SUSPENDED:
            return isDetail(VIR_DOMAIN_EVENT_SUSPENDED_PAUSED.rawValue) || isDetail(VIR_DOMAIN_EVENT_SUSPENDED_IOERROR.rawValue) ? .paused : nil
        case VIR_DOMAIN_EVENT_RESUMED: return .resumed
        case VIR_DOMAIN_EVENT_STOPPED:
            if isDetail(VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN.rawValue) { return isAsked ? .stopped : .guestStopped }
            if isDetail(VIR_DOMAIN_EVENT_STOPPED_SAVED.rawValue) { return .suspended }
            if isDetail(VIR_DOMAIN_EVENT_STOPPED_CRASHED.rawValue) || isDetail(VIR_DOMAIN_EVENT_STOPPED_FAILED.rawValue) { return .crashed }
            return .stopped
        case VIR_DOMAIN_EVENT_CRASHED: return .crashed
        default: return nil
        }
    }
}
