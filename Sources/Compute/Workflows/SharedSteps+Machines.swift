import CloudCore
import Durable
import HostModel

// Steps that several workflows share. Each workflow lists them among its own steps, with its own shown states. A step's
// name is stored in rows, so the names stay as they are, even if two workflows name the same work differently.

extension ServerWorkflow where State: IntentState {
    /// A function that tells whether a step or its undo has something to do.
    typealias Condition = @Sendable (State, Input) throws -> Bool
    /// A function that returns the host that a step calls; nil if the step has nothing to do.
    typealias Host = @Sendable (State, Input) throws -> String?

    /// Returns the step that stops the machine. Its undo starts the guest again if `startsAgain` is true. Without
    /// `startsAgain` there is no undo.
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

    /// Returns the step that stops the machine. A machine that its host does not know counts as stopped. The step is
    /// for workflows that must succeed in the end, and for workflows that make the machine anew.
    static func stopForGood(_ name: String, shows: ShownState, graceSeconds: Int) -> Remote<Self> {
        Remote(name, shows: shows, deadline: .seconds(300)) { state, run in
            try await run.machine(try state.wanted()).stopIfThere(graceSeconds: graceSeconds)
        }
    }

    /// Returns the step that makes the machine, which is off then. Its undo removes the machine.
    ///
    /// - Parameters:
    ///   - host: the host; by default the server's own.
    ///   - isElsewhere: whether another host has the machine, too. Then an undo leaves the volumes connected.
    ///   - wanted: makes the wanted machine from the intent.
    static func build(
        shows: ShownState, on host: @escaping Host = ownHost, isElsewhere: Bool = false,
        as wanted: @escaping @Sendable (Intent) -> Intent = { $0 }
    ) -> Remote<Self> {
        Remote("build", shows: shows, deadline: .seconds(1800)) { state, run in
            guard let host = try host(state, run.input) else { return }
            try await run.machine(wanted(try state.wanted()), on: host).ensure()
        } undo: { state, run in
            guard let host = try host(state, run.input) else { return }
            let machine = run.machine(try state.wanted(), on: host)
            if isElsewhere { try await machine.leave() } else { try await machine.remove() }
        }
    }

    /// Returns the step that starts the machine. Its undo stops the machine if `stopsAgain` is true. Without
    /// `stopsAgain` there is no undo.
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

    /// Returns the step that removes the machine from hosts. No machine uses the server's volumes any more.
    static func tearDown(
        _ name: String, shows: ShownState? = nil, from hosts: @escaping @Sendable (State, Input) throws -> [String]
    ) -> Remote<Self> {
        Remote(name, shows: shows, deadline: .seconds(600)) { state, run in
            for host in try hosts(state, run.input) { try await run.machine(try state.wanted(), on: host).remove() }
        }
    }

    /// Returns the step that removes the machine from a host if another host has it now.
    static func leaveHost(
        _ name: String, shows: ShownState? = nil, _ host: @escaping @Sendable (State) throws -> String?
    ) -> Remote<Self> {
        Remote(name, shows: shows, deadline: .seconds(600)) { state, run in
            guard let host = try host(state) else { return }
            try await run.machine(try state.wanted(), on: host).leave()
        }
    }

    /// The function that returns the server's own host.
    static var ownHost: Host { { state, _ in try state.wanted().host } }
}
