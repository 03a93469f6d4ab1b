import CloudCore
import Durable
import SQL

/// The state of a workflow that looks for a host.
protocol PlacingState: IntentState {
    var intent: Intent? { get set }
    /// Where the server would fit, from the step `look-around` on. The step `claim` forgets it: it has done its work, and is long.
    var offer: Placing.Offer? { get set }
}

extension PlacingState {
    static var intentStep: String { "claim" }

    func requireOffer() throws -> Placing.Offer { try offer.required("offer", from: "look-around") }
}

extension Workflow where Needs == ServerWorld, State: PlacingState {
    /// It is known where the server would fit.
    ///
    /// - Parameter flavor: the server's size. Nil: nothing is looked for.
    static func lookAround(
        shows: ShownState, for flavor: @escaping @Sendable (State, Input) throws -> Flavor?
    ) -> Remote<Self> {
        Remote("look-around", shows: shows) { state, run in
            guard let flavor = try flavor(state, run.input) else { return }
            state.offer = try await run.world.placing.offer(flavor)
        }
    }
}

protocol MoveInput: ServerInput {
    var migrationID: String { get }
    /// The host that an administrator asked for.
    var host: String? { get }
}

protocol MoveState: PlacingState {
    /// The name of the host where the server goes; nil until the step `claim` has run.
    var destination: String? { get set }
}

extension MoveState {
    func requireDestination() throws -> String { try destination.required("destination", from: "claim") }
}

/// The migration that a workflow makes, in the words of its row.
struct MoveTerms: Sendable {
    var kind: ServerMigration.Kind
    /// The migration's status from the first step on.
    var accepted: String
    /// The migration's status from the claim on; nil: it stays.
    var claimed: String?
    /// The hosts that will do, for a server that comes from `source`.
    var move: @Sendable (_ source: String) -> PlacementWish.Move
}

/// A workflow that takes a server to another host. All of them begin in the same way: `accept`, `lookAround` and `claim`.
protocol MovingWorkflow: Workflow where Needs == ServerWorld, Input: MoveInput, State: MoveState {
    static var terms: MoveTerms { get }
    /// Shown by the steps that all have in common.
    static var shows: ShownState { get }
    /// Returns the consumer that holds the old share while the server has the new one.
    static func holder(_ input: Input) -> ID<Kind.Consumer>
    /// Notes in the state how the server is before it moves.
    static func note(_ server: Server, in state: inout State) throws
    /// Returns the size that the server has before.
    static func sizeBefore(_ state: State) throws -> Flavor
    /// Returns the size that the server is to have.
    static func sizeAfter(_ state: State, _ input: Input) throws -> Flavor
}

extension MovingWorkflow {
    static func holder(_ input: Input) -> ID<Kind.Consumer> { Server.formerConsumer(of: input.serverID) }
}

/// The state of a move that leaves the server's size as it is.
struct SameSizeState: Codable, MoveState {
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
    /// A migration is written down. Undone, it has failed.
    static func accept() -> Local<Self> {
        Local("accept", shows: shows) { state, run, tx in
            let server = try run.world.require(run.input.serverID, in: tx)
            try note(server, in: &state)
            try run.world.beginMigration(terms, run.input.migrationID, of: server, to: try sizeAfter(state, run.input), in: tx)
        } undo: { _, run, tx in
            try run.world.setMigration("error", of: run.input.serverID, unless: "cancelled", in: tx)
        }
    }

    /// It is known where the server would fit.
    static func lookAround() -> Remote<Self> { lookAround(shows: shows) { state, input in try sizeAfter(state, input) } }

    /// The old share is the holder's, the new one the server's, and the row says where it goes. Undone, all is as it was.
    static func claim() -> Local<Self> {
        Local("claim", shows: shows) { state, run, tx in
            let id = run.input.serverID
            var server = try run.world.require(id, in: tx)
            let source = try server.requireHost()
            server.flavor = try sizeAfter(state, run.input)
            try run.world.placement.move(from: Server.consumer(of: id), to: holder(run.input), type: "MIGRATION", in: tx)
            let host = try run.world.placing.claim(
                server, try state.requireOffer(), only: run.input.host, move: terms.move(source), in: tx).name
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
    /// Writes down that a server goes from one size or host to another.
    fileprivate func beginMigration(
        _ terms: MoveTerms, _ id: String, of server: Server, to flavor: Flavor, in tx: Transaction
    ) throws {
        // An administrator may have set the state of a server that waits for its confirmation.
        guard server.former == nil, server.otherHost == nil else {
            throw CloudError.conflict("Instance \(server.id) has not come to the end of its last migration.")
        }
        try migrations.insert(
            ServerMigration(
                number: try NumberStore().next("migration", in: tx), id: id, serverID: server.id, projectID: server.projectID,
                userID: server.userID, kind: terms.kind, status: terms.accepted, source: server.host, destination: nil,
                oldFlavor: server.flavor.number, newFlavor: flavor.number, createdAt: now, updatedAt: now), in: tx)
    }
}
