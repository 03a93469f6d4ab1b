package import CloudCore
package import SQL

/// The values of Compute's rows that a guest may read about its own server.
package struct GuestRows: Sendable {
    private let servers = ServerStore()

    package init() {}

    /// Returns the metadata of a server, without the values of other services: the cards and the security groups.
    ///
    /// - Returns: nil if there is no such server.
    package func metadata(of server: ID<Kind.Server>, in tx: Transaction) throws -> InstanceMetadata? {
        guard let server = try servers.find(server, in: tx) else { return nil }
        let aggregates = try AggregateStore().list(in: tx)
        let zone = aggregates.first { aggregate in aggregate.zone != nil && server.host.map(aggregate.hosts.contains) == true }?.zone
        var metadata = InstanceMetadata(
            id: server.id.text, projectID: server.projectID, name: server.name, hostname: server.hostname,
            zone: zone ?? server.pinnedZone ?? Self.defaultZone)
        metadata.launchIndex = server.launchIndex
        metadata.reservationID = server.reservationID
        metadata.flavor = server.flavor.name
        metadata.imageID = server.image?.id.text
        metadata.kernelID = server.image?.properties["kernel_id"]
        metadata.ramdiskID = server.image?.properties["ramdisk_id"]
        metadata.metadata = server.metadata
        metadata.key = server.publicKey.map { data in
            InstanceMetadata.Key(name: server.keyName ?? "key", kind: data.hasPrefix("-----BEGIN CERTIFICATE") ? "x509" : "ssh", data: data)
        }
        metadata.userData = server.userData.flatMap { Base64.decode($0) }
        metadata.rootDevice = server.rootDevice
        metadata.password = server.guestPassword ?? ""
        return metadata
    }

    /// The zone of a server that is in no zone and asked for none.
    private static let defaultZone = "nova"

    /// Stores the password that a guest has posted.
    ///
    /// - Throws: `notFound` if there is no such server; `conflict` if it has a password already.
    package func setPassword(_ password: String, of server: ID<Kind.Server>, in tx: Transaction) throws {
        guard var found = try servers.find(server, in: tx) else {
            throw CloudError.notFound("Instance \(server) could not be found.")
        }
        guard (found.guestPassword ?? "").isEmpty else { throw CloudError.conflict("There is a password already.") }
        found.guestPassword = password
        try servers.update(found, in: tx)
    }
}
