import CloudCore
import Durable
import HostModel

// Steps that several workflows have. Each workflow lists them under its own shown states, at their places among its own steps.
// A step's name is stored with each row, so two workflows that call the same work differently go on doing so.

extension Workflow where Needs == ServerWorld, State: IntentState {
    /// Says whether a step, or its undo, has something to do.
    typealias Condition = @Sendable (State, Input) throws -> Bool
    /// Names the host that a step speaks to. Nil: the step has nothing to do.
    typealias Host = @Sendable (State, Input) throws -> String?

    /// The machine is off. Undone, the guest runs again where `startsAgain` says so; without it there is no undo.
    static func stop(
        shows: ShownState, graceSeconds: @escaping @Sendable (State) -> Int = { _ in 60 },
        if condition: @escaping Condition = { _, _ in true }, startsAgain: Condition? = nil
    ) -> Remote<Self> {
        let undo = startsAgain.map { startsAgain -> Remote<Self>.Undo in
            { state, run in
                guard try startsAgain(state, run.input) else { return }
                try await run.machineToUndo(try state.wanted())?.goOn()
            }
        }
        let body: Remote<Self>.Body = { state, run in
            guard try condition(state, run.input) else { return }
            try await run.machine(try state.wanted()).stop(graceSeconds: graceSeconds(state))
        }
        return Remote("stop", shows: shows, deadline: .seconds(300), body, undo: undo)
    }

    /// The machine is off. A machine that its host does not know is as good as off. The step is for workflows that must
    /// succeed in the end, and for those that make the machine anew.
    static func stopForGood(_ name: String, shows: ShownState, graceSeconds: Int) -> Remote<Self> {
        Remote(name, shows: shows, deadline: .seconds(300)) { state, run in
            try await run.machine(try state.wanted()).stopIfThere(graceSeconds: graceSeconds)
        }
    }

    /// The machine is there, and off. Undone, it is gone.
    ///
    /// - Parameters:
    ///   - host: by default the server's own.
    ///   - wanted: makes what is wanted of the machine from the intent.
    static func build(
        shows: ShownState, on host: @escaping Host = ownHost, as wanted: @escaping @Sendable (Intent) -> Intent = { $0 }
    ) -> Remote<Self> {
        Remote("build", shows: shows, deadline: .seconds(1800)) { state, run in
            guard let host = try host(state, run.input) else { return }
            try await run.machine(wanted(try state.wanted()), on: host).ensure()
        } undo: { state, run in
            guard let host = try host(state, run.input) else { return }
            try await run.machine(try state.wanted(), on: host).remove()
        }
    }

    /// The machine runs. Undone, it is off again where `stopsAgain` says so; without it there is no undo.
    static func boot(
        shows: ShownState, on host: @escaping Host = ownHost, stopsAgain: Condition? = nil
    ) -> Remote<Self> {
        let undo = stopsAgain.map { stopsAgain -> Remote<Self>.Undo in
            { state, run in
                guard try stopsAgain(state, run.input), let host = try host(state, run.input) else { return }
                try await run.machine(try state.wanted(), on: host).stop(graceSeconds: 0)
            }
        }
        let body: Remote<Self>.Body = { state, run in
            guard let host = try host(state, run.input) else { return }
            try await run.machine(try state.wanted(), on: host).setPower(.running)
        }
        return Remote("boot", shows: shows, body, undo: undo)
    }

    /// The hosts have nothing of the machine.
    static func tearDown(
        _ name: String, shows: ShownState? = nil, from hosts: @escaping @Sendable (State, Input) throws -> [String]
    ) -> Remote<Self> {
        Remote(name, shows: shows, deadline: .seconds(600)) { state, run in
            for host in try hosts(state, run.input) { try await run.machine(try state.wanted(), on: host).remove() }
        }
    }

    /// The server's own host.
    static var ownHost: Host { { state, _ in try state.wanted().host } }
}
