import CloudCore
import Compute
import Drivers
import Foundation

/// What lies on the config drives of guests: the metadata service's answers as files.
package struct ConfigDrives: Sendable {
    private let metadata: @Sendable (String) async throws -> InstanceMetadata?
    private let world: World

    init(_ guests: GuestMetadata, world: World) { self.init(world: world) { try await guests.metadata(of: $0) } }

    init(world: World, _ metadata: @escaping @Sendable (String) async throws -> InstanceMetadata?) {
        self.metadata = metadata
        self.world = world
    }

    /// Without rows: a guest learns its id and no more.
    package static let bare = ConfigDrives(world: .real) { InstanceMetadata(id: $0, projectID: "", name: "", hostname: "", zone: "") }

    /// - Throws: `notFound` when there is no such server.
    func drive(of server: String) async throws -> ConfigDrive {
        guard let metadata = try await metadata(server) else { throw CloudError.notFound("server", server) }
        return ConfigDrive(files: MetadataTree(metadata, random: world.random).files.mapValues { Data($0) })
    }
}
