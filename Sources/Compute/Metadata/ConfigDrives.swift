package import CloudCore
import Foundation
import HostModel

/// The files on guests' config drives. They have the answers of the metadata service.
package struct ConfigDrives: Sendable {
    private let metadata: @Sendable (ID<Kind.Server>) async throws -> InstanceMetadata?
    private let world: World

    /// - Parameter metadata: returns the metadata of a server; nil if there is no such server.
    package init(world: World, _ metadata: @escaping @Sendable (ID<Kind.Server>) async throws -> InstanceMetadata?) {
        self.metadata = metadata
        self.world = world
    }

    /// Config drives for a process without Compute's rows. A guest finds no more than its id.
    package static let bare = ConfigDrives(world: .real) {
        InstanceMetadata(id: $0.text, projectID: "", name: "", hostname: "", zone: "")
    }

    /// Returns the config drive of a server.
    ///
    /// - Throws: `notFound` if there is no such server.
    func drive(of server: ID<Kind.Server>) async throws -> ConfigDrive {
        guard let metadata = try await metadata(server) else { throw CloudError.notFound("server", server.text) }
        return ConfigDrive(files: MetadataTree(metadata, random: world.random).files.mapValues { Data($0) })
    }
}
