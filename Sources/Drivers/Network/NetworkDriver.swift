import CloudCore
package import HostModel

/// Makes the networks of one host. The only code that knows bridges, packet filters or OVN lies behind it.
///
/// It is given all that is wanted of the host at once and makes the host so, from whatever is there. The same state again changes
/// nothing, and no packet is lost by it. What this driver did not make is never changed.
package protocol NetworkDriver: Sendable {
    /// `linux`, `simulated`.
    var kind: String { get }

    /// The host is as `state` says, but for what the answer names: a thing that cannot be made harms itself alone.
    ///
    /// - Throws: `conflict` (`HostNetworkState.staleCode`) for a generation older than one taken before, also before a restart of
    ///   the process; `unavailable` when the host cannot now.
    @discardableResult
    func apply(_ state: HostNetworkState) async throws -> NetworkReport

    /// What was found on the host, whoever asked for it.
    func observe() async throws -> ObservedNetwork

    /// Nothing of this driver is on the host any longer, its memory of generations included.
    func removeAll() async throws
}

/// The ability to answer guests that ask for metadata. It is found by a cast.
package protocol MetadataListening: NetworkDriver {
    /// A TCP socket that listens at `MetadataEndpoint.address` and hears guests of the door's network alone. Whoever asks owns the
    /// descriptor and closes it; when the door goes, connections simply come no more. The source address of a connection is that of a
    /// port of the network.
    ///
    /// - Throws: `notFound` when the door is not there.
    func listenForMetadata(at door: MetadataDoor) async throws -> Int32

    /// A text that is another one when the door was made anew: a listener from before hears nobody then.
    ///
    /// - Throws: `notFound` when the door is not there.
    func metadataPlace(of door: MetadataDoor) async throws -> String
}
