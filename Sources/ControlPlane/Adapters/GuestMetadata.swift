import CloudCore
import Compute
import HostModel
import Networking
import SQL

/// The metadata of guests, from Compute's and Networking's rows in one transaction.
struct GuestMetadata: MetadataSource {
    let database: Database
    let networking: NetworkingAssembly
    private let rows = GuestRows()

    func metadata(network: ID<Kind.Network>, address: IPAddress) async throws -> InstanceMetadata? {
        try await database.read { tx in
            guard let server = try networking.server(at: address, in: network, tx: tx) else { return nil }
            return try metadata(of: server, tx)
        }
    }

    /// Returns the metadata of a server; nil if there is no such server.
    func metadata(of server: ID<Kind.Server>) async throws -> InstanceMetadata? {
        try await database.read { tx in try metadata(of: server, tx) }
    }

    func setPassword(_ password: String, of server: ID<Kind.Server>) async throws {
        try await database.write { tx in try rows.setPassword(password, of: server, in: tx) }
    }

    private func metadata(of server: ID<Kind.Server>, _ tx: Transaction) throws -> InstanceMetadata? {
        guard var metadata = try rows.metadata(of: server, in: tx) else { return nil }
        metadata.interfaces = try networking.guestCards(of: server, in: tx)
        metadata.securityGroups = (try networking.securityGroups(of: [server], in: tx)[server] ?? []).map(\.name)
        return metadata
    }
}
