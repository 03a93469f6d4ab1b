import CloudCore
import HostModel

/// A fault of one volume. The names are the values of `simulate:fault` in its metadata, separated by commas. A snapshot
/// has the faults of its volume.
package enum SimulatedVolumeFault: String, Sendable, CaseIterable {
    /// The volume cannot be made.
    case createFails = "create-fails"
    /// A copy into the volume begins, and fails.
    case copyFails = "copy-fails"
    /// Every change takes fifty times as long, and a copy shows its progress.
    case slow
    /// The pool says that it has no room for the volume.
    case poolFull = "pool-full"
    /// The volume is made, and the first reply is lost.
    case agentLost = "agent-lost"
    case growFails = "grow-fails"
    case removeFails = "remove-fails"
    case snapshotFails = "snapshot-fails"
    case connectFails = "connect-fails"
    case exportFails = "export-fails"
}

extension VolumeSpec {
    var faults: Set<SimulatedVolumeFault> {
        Set(SimulatedFault.words(in: metadata).compactMap { SimulatedVolumeFault(rawValue: $0) })
    }
}
