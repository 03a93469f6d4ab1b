import CloudCore
import Drivers
package import HostModel
package import NIOCore
import Synchronization

/// How the control plane speaks with one host.
package protocol AgentLink: Sendable {
    var host: HostID { get }

    /// Has a change made, and returns when it is. The same request may be sent again; one that was overtaken is refused with
    /// `conflict` (`Fence.staleCode`).
    ///
    /// - Throws: `unavailable` (transient) when the host is not reached: the change may have happened or not.
    func send(_ request: AgentRequest) async throws -> AgentReply

    func ask(_ question: AgentQuestion) async throws -> AgentReply

    /// The bytes of a copy of a disk, in order. Each piece is read when it is asked for.
    func bytes(of copy: DiskSnapshot) async throws -> AsyncThrowingStream<ByteBuffer, any Error>

    /// Has the host's networks made so.
    ///
    /// - Throws: `notImplemented` (`no_networks`) where the host has no network driver; what `NetworkDriver.apply` throws.
    func apply(_ networks: HostNetworkState) async throws -> NetworkReport

    /// What the host says from now on. News may be lost: an inventory is the truth.
    func reports() -> AsyncStream<AgentReport>
}

/// A host in the same process.
package final class InMemoryLink: AgentLink {
    private let agent: Agent
    private let cut = Mutex(false)

    package init(_ agent: Agent) { self.agent = agent }

    package var host: HostID { agent.host }

    /// Whether the two do not hear each other, as when a network is down.
    package var isCut: Bool {
        get { cut.withLock { $0 } }
        set { cut.withLock { $0 = newValue } }
    }

    package func send(_ request: AgentRequest) async throws -> AgentReply {
        try requireReach()
        let reply = try await agent.carryOut(request)
        // The answer has to come through as well.
        try requireReach()
        return reply
    }

    package func ask(_ question: AgentQuestion) async throws -> AgentReply {
        try requireReach()
        return try await agent.answer(question)
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
