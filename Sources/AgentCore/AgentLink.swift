import CloudCore
import Drivers
package import HostModel
package import NIOCore
import Synchronization

/// The connection of the control plane to one host.
package protocol AgentLink: Sendable {
    var host: HostID { get }

    /// Makes a change, and returns when it is made. The same request may be sent again; a request that was overtaken is
    /// refused with `conflict` (`Fence.staleCode`).
    ///
    /// - Throws: `unavailable` (transient) if the host cannot be reached. The change may have happened or not.
    func send(_ request: AgentRequest) async throws -> AgentReply

    func ask(_ question: AgentQuestion) async throws -> AgentReply

    /// Changes a volume or a snapshot. `AgentLink+Volumes` has a typed call for each change.
    ///
    /// - Throws: as `send` of a machine's change does.
    func send(_ request: VolumeRequest) async throws -> VolumeReply

    func ask(_ question: VolumeQuestion) async throws -> VolumeReply

    /// Returns the bytes of a disk's copy, in order. Each piece is read when it is requested.
    func bytes(of copy: DiskSnapshot) async throws -> AsyncThrowingStream<ByteBuffer, any Error>

    /// Brings the host's networks to the state.
    ///
    /// - Throws: `notImplemented` (`no_networks`) if the host has no network driver; the errors of
    ///   `NetworkDriver.apply`.
    func apply(_ networks: HostNetworkState) async throws -> NetworkReport

    /// Returns the host's reports from now on. Reports may be lost; an inventory has the whole truth.
    func reports() -> AsyncStream<AgentReport>
}

/// The link to a host in the same process.
package final class InMemoryLink: AgentLink {
    private let agent: Agent
    private let cut = Mutex(false)

    package init(_ agent: Agent) { self.agent = agent }

    package var host: HostID { agent.host }

    /// Whether the link is cut, as by a failure of the network.
    package var isCut: Bool {
        get { cut.withLock { $0 } }
        set { cut.withLock { $0 = newValue } }
    }

    package func send(_ request: AgentRequest) async throws -> AgentReply {
        try requireReach()
        let reply = try await agent.carryOut(request)
        // The reply must pass the link as well.
        try requireReach()
        return reply
    }

    package func ask(_ question: AgentQuestion) async throws -> AgentReply {
        try requireReach()
        return try await agent.answer(question)
    }

    package func send(_ request: VolumeRequest) async throws -> VolumeReply {
        try requireReach()
        let reply = try await agent.carryOut(request)
        try requireReach()
        return reply
    }

    package func ask(_ question: VolumeQuestion) async throws -> VolumeReply {
        try requireReach()
        let reply = try await agent.answer(question)
        // A connection is a change, whose reply may be lost as well.
        try requireReach()
        return reply
    }

    package func bytes(of copy: DiskSnapshot) async throws -> AsyncThrowingStream<ByteBuffer, any Error> {
        try requireReach()
        return try HostFile.bytes(of: copy.path, count: copy.sizeBytes)
    }

    package func apply(_ networks: HostNetworkState) async throws -> NetworkReport {
        try requireReach()
        return try await agent.apply(networks)
    }

    package func reports() -> AsyncStream<AgentReport> { agent.reports() }

    private func requireReach() throws(CloudError) {
        guard isCut else { return }
        var error = CloudError(.unavailable, "The host cannot be reached.", detail: "\(host)", code: "host_lost")
        error.isTransient = true
        throw error
    }
}
