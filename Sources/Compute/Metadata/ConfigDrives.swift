package import CloudCore
import Foundation
import HostModel

/// What lies on the config drives of guests: the metadata service's answers as files.
package struct ConfigDrives: Sendable {
    private let metadata: @Sendable (ID<Kind.Server>) async throws -> InstanceMetadata?
    private let world: World

    /// - Parameter metadata: returns what a server's guest may know of itself; nil when there is no such server.
    package init(world: World, _ metadata: @escaping @Sendable (ID<Kind.Server>) async throws -> InstanceMetadata?) {
        self.metadata = metadata
        self.world = world
    }

    /// Config drives without rows: a guest learns its id and no more.
    package static let bare = ConfigDrives(world: .real) {
        InstanceMetadata(id: $0.text, projectID: "", name: "", hostname: "", zone: "")
    }

    /// Returns the drive of a server.
    ///
    /// - Throws: `notFound` when there is no such server.
    func drive(of server: ID<Kind.Server>) async throws -> ConfigDrive {
        guard let metadata = try await metadata(server) else { throw CloudError.notFound("server", server.text) }
        return ConfigDrive(files: MetadataTree(metadata, random: world.random).files.mapValues { Data($0) })
    }
}
