import CloudCore
import Foundation
import TestSupport

@testable import AgentCore
@testable import BlockStorage
@testable import Compute
@testable import ControlPlane
@testable import DriverFiles
@testable import DriverLibvirt
@testable import DriverLinuxNetwork
@testable import DriverSimulated
@testable import Drivers
@testable import Durable
@testable import HostModel

/// Everything that outlives the process that wrote it (docs/releases.md). The workflows come from the cloud's own list.
/// `ListTests` finds stored values that are missing here.
enum StoredShapes {
    static let values: [any StoredValue.Type] = rows + files + messages

    /// JSON in columns, and values that are parts of it.
    private static let rows: [any StoredValue.Type] = [
        Principal.self, Failure.self, Server.self, Intent.self, ServerVolume.self, Placing.Offer.self, Wanted.self,
    ]

    /// Files: the agent's, the drivers', the control plane's note of the host, and the manifest of a backup.
    private static let files: [any StoredValue.Type] = [
        FencedRecord<DesiredMachine>.self, DesiredMachine.self, FencedRecord<HostedMachine>.self, HostedMachine.self,
        AccelerationProbe.Finding.self, FencedRecord<SimulatedMachine>.self, SimulatedMachine.self, HostMemory.self,
        HostFacts.self, MachineSpec.self, BackupManifest.self,
        FencedRecord<SimulatedVolume>.self, SimulatedVolume.self, FencedRecord<SimulatedSnapshot>.self,
        SimulatedSnapshot.self, FencedRecord<SimulatedStranger>.self, SimulatedStranger.self,
        FencedRecord<HostedVolume>.self, HostedVolume.self, FencedRecord<HostedSnapshot>.self,
        HostedSnapshot.self, FencedRecord<ExportMark>.self, ExportMark.self,
    ]

    /// The messages of `AgentLink` between the control plane and an agent.
    private static let messages: [any StoredValue.Type] = [
        AgentRequest.self, AgentQuestion.self, AgentReply.self, AgentReport.self, HostInventory.self, DiskSnapshot.self,
        HostNetworkState.self, NetworkReport.self, VolumeRequest.self, VolumeQuestion.self, VolumeReply.self,
        VolumeSpec.self,
    ]

    /// The outlines of today's code.
    static let now: Result<StoredOutlines, any Error> = Result {
        let reader = ShapeReader(values)
        let workflows = try Cloud.workflowTypes.map { try StoredOutline(workflow: $0, reader) }
        return StoredOutlines(try values.map { try StoredOutline($0, reader) } + workflows)
    }
}

/// The outlines in the repository: one file for each value that is stored now, and one for each release.
enum KeptShapes {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Released")

    static func golden(_ name: String) -> URL { folder.appending(path: "shapes/\(name).json") }

    /// The names of all goldens.
    static var names: [String] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path + "/shapes")) ?? []
        return files.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
    }

    /// The released versions.
    static var versions: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter { $0.first?.isNumber == true }.sorted()
    }

    /// Returns the outlines of what a release has written.
    static func outlines(of version: String) throws -> StoredOutlines {
        let json = try JSON.parse(try String(contentsOf: folder.appending(path: "\(version)/shapes.json"), encoding: .utf8))
        return StoredOutlines(try json.object?.members.map { try StoredOutline(name: $0.key, $0.value) } ?? [])
    }
}
