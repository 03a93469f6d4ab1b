package import CloudCore
package import Compute

/// The source of the data that a guest may know about itself.
package protocol MetadataSource: Sendable {
    /// Returns the metadata of the server that has the address in the network; nil if there is none.
    func metadata(network: ID<Kind.Network>, address: IPAddress) async throws -> InstanceMetadata?

    /// Stores the password that a guest has posted.
    ///
    /// - Throws: `conflict` if there is one already; `notFound`.
    func setPassword(_ password: String, of server: ID<Kind.Server>) async throws
}
