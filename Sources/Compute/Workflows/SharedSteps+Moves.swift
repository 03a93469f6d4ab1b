import CloudCore
import Durable
import SQL

/// The state of a workflow that looks for a host.
protocol PlacingState: IntentState {
    var intent: Intent? { get set }
    /// The best hosts for the server. The step `look-around` notes the offer. The step `claim` removes it, because it
    /// is no longer needed.
    var offer: Placing.Offer? { get set }
}

extension PlacingState {
    static var intentStep: String { "claim" }

    func requireOffer() throws -> Placing.Offer { try offer.required("offer", from: "look-around") }
}

extension ServerWorkflow where Input: ServerInput, State: PlacingState {
    /// Returns the step that notes the best hosts for the server.
    ///
    /// - Parameter terms: returns the terms of the choice; nil to look for nothing.
    static func lookAround(
        shows: ShownState, by terms: @escaping @Sendable (State, Input) throws -> Placing.Terms?
    ) -> Remote<Self> {
        Remote("look-around", shows: shows) { state, run in
            guard let terms = try terms(state, run.input) else { return }
            state.offer = try await run.world.placing.offer(run.input.serverID, terms)
        }
    }
}

protocol MoveInput: ServerInput {
    var migrationID: String { get }
    /// The destination that an administrator asked for; nil to let the scheduler choose.
    var host: String? { get }
}

protocol MoveState: PlacingState {
    /// The name of the destination; nil until the step `claim` has run.
    var destination: String? { get set }
}

extension MoveState {
    func requireDestination() throws -> String { try destination.required("destination", from: "claim") }
}

/// The values of the migration's row that differ between the moving workflows.
struct MoveTerms: Sendable {
    var kind: ServerMigration.Kind
    /// The migration's status from the first step on.
    var accepted: String
    /// The migration's status from the claim on; nil to keep the status.
    var claimed: String?
    /// Returns the conditions on the destination for a server that comes from `source`.
    var move: @Sendable (_ source: String) -> PlacementWish.Move
}

/// A workflow that moves a server to another host. All of them begin with the steps `accept`, `lookAround` and `claim`.
protocol MovingWorkflow: ServerWorkflow where Input: MoveInput, State: MoveState {
    static var terms: MoveTerms { get }
    /// The state that the common steps show.
    static var shows: ShownState { get }
    /// Returns the consumer that holds the old share while the server has the new one.
    static func holder(_ input: Input) -> ID<Kind.Consumer>
    /// Notes in the state how the server is before the move.
    static func note(_ server: Server, in state: inout State) throws
    /// Returns the server's size before the move.
    static func sizeBefore(_ state: State) throws -> Flavor
    /// Returns the server's size after the move.
    static func sizeAfter(_ state: State, _ input: Input) throws -> Flavor
}

extension MovingWorkflow {
    static func holder(_ input: Input) -> ID<Kind.Consumer> { Server.formerConsumer(of: input.serverID) }
}

/// The state of a move that does not change the server's size.
struct SameSizeState: MoveState {
    var offer: Placing.Offer?
    /// The server's size; nil until the step `accept` has run.
    var flavor: Flavor?
    var destination: String?
    var intent: Intent?
}

extension MovingWorkflow where State == SameSizeState {
    static func note(_ server: Server, in state: inout State) throws {
        _ = try server.requireHost()
        state.flavor = server.flavor
    }

    static func sizeBefore(_ state: State) throws -> Flavor { try state.flavor.required("flavor", from: "accept") }
    static func sizeAfter(_ state: State, _ input: Input) throws -> Flavor { try sizeBefore(state) }
}

// MARK: The steps that all moves begin with

extension MovingWorkflow {
    /// Returns the step that records a migration. Its undo sets the migration to `error`, unless it was cancelled.
    static func accept() -> Local<Self> {
        Local("accept", shows: shows) { state, run, tx in
            let server = try run.world.require(run.input.serverID, in: tx)
            try note(server, in: &state)
            try run.world.beginMigration(terms, run.input.migrationID, of: server, to: try sizeAfter(state, run.input), in: tx)
        } undo: { _, run, tx in
            try run.world.setMigration("error", of: run.input.serverID, unless: "cancelled", in: tx)
        }
    }

    private static func choice(_ state: State, _ input: Input) throws -> Placing.Terms {
        Placing.Terms(flavor: try sizeAfter(state, input), only: input.host, move: terms.move)
    }

    /// Returns the step that notes the best hosts for the server with its new size.
    static func lookAround() -> Remote<Self> { lookAround(shows: shows) { state, input in try choice(state, input) } }

    /// Returns the step that gives the old share to the holder and a new share to the server, and writes the
    /// destination to the row. Its undo restores the former share and row.
    static func claim() -> Local<Self> {
        Local("claim", shows: shows) { state, run, tx in
            let id = run.input.serverID
            var server = try run.world.require(id, in: tx)
            let source = try server.requireHost()
            server.flavor = try sizeAfter(state, run.input)
            try run.world.placement.move(from: Server.consumer(of: id), to: holder(run.input), type: "MIGRATION", in: tx)
            let host = try run.world.placing.claim(server, try state.requireOffer(), try choice(state, run.input), in: tx).name
            (state.offer, state.destination) = (nil, host)
            try run.world.migrations.setDestination(host, ofServer: id, in: tx)
            if let status = terms.claimed { try run.world.setMigration(status, of: id, in: tx) }
            state.intent = try run.world.intend(id, in: tx) {
                ($0.flavor, $0.otherHost) = (server.flavor, host == source ? nil : host)
            }
        } undo: { state, run, tx in
            let id = run.input.serverID
            try run.world.placement.release(Server.consumer(of: id), in: tx)
            try run.world.placement.move(from: holder(run.input), to: Server.consumer(of: id), type: "INSTANCE", in: tx)
            let flavor = try sizeBefore(state)
            try run.world.changeBack(id, in: tx) { ($0.flavor, $0.otherHost) = (flavor, nil) }
        }
    }
}

extension ServerWorld {
    /// Records that a server moves from one size or host to another.
    ///
    /// - Throws: `conflict` if the server's last migration has not ended.
    fileprivate func beginMigration(
        _ terms: MoveTerms, _ id: String, of server: Server, to flavor: Flavor, in tx: Transaction
    ) throws {
        // The state of a server that waits for its confirmation may have been reset by an administrator.
        guard server.former == nil, server.otherHost == nil else {
            throw CloudError.conflict("Instance \(server.id) has not come to the end of its last migration.")
        }
        try migrations.insert(
            ServerMigration(
                number: try NumberStore.compute.next("migration", in: tx), id: id, serverID: server.id, projectID: server.projectID,
                userID: server.userID, kind: terms.kind, status: terms.accepted, source: server.host, destination: nil,
                oldFlavor: server.flavor.number, newFlavor: flavor.number, createdAt: now, updatedAt: now), in: tx)
    }
}
