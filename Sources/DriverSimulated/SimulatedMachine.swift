import CloudCore
import HostModel

/// A fault of one machine. The names are the values of `simulate:fault` in its metadata, separated by commas.
package enum SimulatedFault: String, Sendable, CaseIterable {
    /// A start fails.
    case bootFails = "boot-fails"
    /// The guest crashes as soon as it runs.
    case crashes
    /// Every change takes fifty times as long.
    case slow
    /// No events of the machine are sent.
    case lostEvent = "lost-event"
    /// The first start happens, and its reply is lost.
    case agentLost = "agent-lost"
    case snapshotFails = "snapshot-fails"
    /// The guest does not stop when it is asked to.
    case ignoresShutdown = "ignores-shutdown"
    /// The running guest does not release a volume.
    case keepsDisks = "keeps-disks"

    package static let key = "simulate:fault"

    /// Returns the names of the faults in the metadata of a machine or a volume.
    static func words(in metadata: [String: String]) -> [String] {
        metadata[key]?.split(separator: ",").map(\.trimmingSpaces) ?? []
    }
}

extension MachineSpec {
    var faults: Set<SimulatedFault> {
        Set(SimulatedFault.words(in: metadata).compactMap { SimulatedFault(rawValue: $0) })
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
    /// The power state before the machine was packed live; nil unless it stands still because another host has it.
    var left: PowerState?
    /// The disks without room. The machine is paused until there is room or somebody starts it.
    @Defaulted<Default.EmptyList<String>> var fullDisks: [String] = []

    /// The most bytes of the serial log.
    static let mostConsoleBytes = 256 << 10

    init(spec: MachineSpec) { self.spec = spec }

    mutating func start() {
        if power == .suspended || power == .paused {
            say("[\(boots)] resumed from \(power.rawValue)")
        } else {
            boots += 1
            say("[\(boots)] simulated firmware: \(spec.cpu.count) CPUs, \(spec.memoryMiB) MiB")
            say("[\(boots)] simulated kernel is up")
            // The guest writes many lines, so that a test notices a reader that reads only a part.
            for line in 1...20 { say("[\(boots)] simulated line \(line)") }
            say("[\(boots)] ready")
        }
        power = .running
        reason = nil
        left = nil
        fullDisks = []
    }

    mutating func stop(as power: PowerState, reason: String) {
        say("[\(boots)] \(reason)")
        self.power = power
        self.reason = reason
        left = nil
        fullDisks = []
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
