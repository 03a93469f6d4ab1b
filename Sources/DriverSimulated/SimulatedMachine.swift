import CloudCore
import HostModel

/// What can go wrong with one machine: the words of its metadata's `simulate:fault`, several with commas between them.
package enum SimulatedFault: String, Sendable, CaseIterable {
    /// A start fails.
    case bootFails = "boot-fails"
    /// The guest crashes as soon as it runs.
    case crashes
    /// Everything takes fifty times as long.
    case slow
    /// Nobody hears what happens.
    case lostEvent = "lost-event"
    /// The first start happens, and its answer is lost.
    case agentLost = "agent-lost"
    case snapshotFails = "snapshot-fails"
    /// The guest does not stop when it is asked to.
    case ignoresShutdown = "ignores-shutdown"

    package static let key = "simulate:fault"
}

extension MachineSpec {
    var faults: Set<SimulatedFault> {
        let words = metadata[SimulatedFault.key]?.split(separator: ",") ?? []
        return Set(words.compactMap { SimulatedFault(rawValue: $0.trimmingSpaces) })
    }
}

extension Substring {
    fileprivate var trimmingSpaces: String { String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
}

/// A machine of a simulated host.
///
///     (made) → off ⇄ running ⇄ paused
///               ↑      ↓ ↑
///            crashed  suspended
struct SimulatedMachine: StoredValue {
    static let storedName = "simulated.machine"

    var spec: MachineSpec
    var power = PowerState.off
    var boots: Int64 = 0
    var reason: String?
    var console = ""
    /// What it did before it was packed while it ran: nil unless it stands still for another host's sake.
    var left: PowerState?

    /// As much as the log of a real guest may have.
    static let mostConsoleBytes = 256 << 10

    init(spec: MachineSpec) { self.spec = spec }

    mutating func start() {
        if power == .suspended || power == .paused {
            say("[\(boots)] resumed from \(power.rawValue)")
        } else {
            boots += 1
            say("[\(boots)] simulated firmware: \(spec.cpu.count) CPUs, \(spec.memoryMiB) MiB")
            say("[\(boots)] simulated kernel is up")
            // A guest that says little would not show who reads only a part of it.
            for line in 1...20 { say("[\(boots)] simulated line \(line)") }
            say("[\(boots)] ready")
        }
        power = .running
        reason = nil
        left = nil
    }

    mutating func stop(as power: PowerState, reason: String) {
        say("[\(boots)] \(reason)")
        self.power = power
        self.reason = reason
        left = nil
    }

    mutating func reboot(_ kind: RebootKind) {
        say("[\(boots)] reboot: \(kind.rawValue)")
        power = .off
        start()
    }

    private mutating func say(_ line: String) {
        console += line + "\r\n"
        if console.utf8.count > Self.mostConsoleBytes { console = String(console.suffix(Self.mostConsoleBytes / 2)) }
    }
}

extension PowerState {
    var isUp: Bool { self == .running || self == .paused }
}
