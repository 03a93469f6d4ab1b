package import CloudCore
package import Compute

/// Who a guest is, and what it may know.
package protocol MetadataSource: Sendable {
    /// - Returns: nil when no server has the address in the network.
    func metadata(network: ID<Kind.Network>, address: IPAddress) async throws -> InstanceMetadata?

    /// Keeps what a guest has posted as its password.
    ///
    /// - Throws: `conflict` when there is one already; `notFound`.
    func setPassword(_ password: String, of server: ID<Kind.Server>) async throws
}
