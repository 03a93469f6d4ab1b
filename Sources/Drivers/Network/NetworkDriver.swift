import CloudCore
package import HostModel

/// A driver that makes the networks of one host. Only the code behind this protocol knows bridges, packet filters or
/// OVN.
///
/// It is given the whole wanted state of the host at once, and brings the host to it from any present state. The same
/// state again changes nothing and loses no packet. The driver never changes what it did not make.
package protocol NetworkDriver: Sendable {
    /// The kind of driver: `linux` or `simulated`.
    var kind: String { get }

    /// Brings the host to the state, except for the problems in the report. A thing that cannot be made affects no
    /// other.
    ///
    /// - Throws: `conflict` (`HostNetworkState.staleCode`) for a generation older than one that was applied, also
    ///   before a restart of the process; `unavailable` if the host cannot do it now.
    @discardableResult
    func apply(_ state: HostNetworkState) async throws -> NetworkReport

    /// Returns what exists on the host, whoever wanted it.
    func observe() async throws -> ObservedNetwork

    /// Removes everything of this driver from the host, including its memory of generations.
    func removeAll() async throws
}

/// The ability to answer guests that ask for metadata. A cast finds it.
package protocol MetadataListening: NetworkDriver {
    /// Returns a TCP socket that listens at `MetadataEndpoint.address` and accepts only guests of the door's network.
    /// The caller owns the descriptor and closes it. When the door is removed, no more connections come. The source
    /// address of a connection is that of a port of the network.
    ///
    /// - Throws: `notFound` if there is no such door.
    func listenForMetadata(at door: MetadataDoor) async throws -> Int32

    /// Returns a text that changes when the door is made anew; a listener from before then gets no more connections.
    ///
    /// - Throws: `notFound` if there is no such door.
    func metadataPlace(of door: MetadataDoor) async throws -> String
}
