import CloudCore
import Logging
import SQL

/// A workflow with its code and its needs, and without its types, so that a runner can carry it out.
package struct WorkflowDefinition: Sendable {
    package let outline: Outline
    /// Runs a local step or its undo, and returns the state after it.
    let local: @Sendable (Int, WorkflowRecord, Journal, Logger, Transaction) throws -> String
    /// Runs a remote step or its undo, and returns the state after it.
    let remote: @Sendable (Int, WorkflowRecord, Journal, Logger) async throws -> String
    /// Returns whether the body of a remote step has something to do.
    let isNeeded: @Sendable (Int, WorkflowRecord) throws -> Bool
    /// Gives a signal to a wait. Returns the state after it, or nil if the wait goes on.
    let receive: @Sendable (Int, WorkflowRecord, Signal) throws -> String?

    package init<W: Workflow>(_ workflow: W.Type, needs: W.Needs) {
        let list = W.steps
        let steps = list.steps
        outline = Outline(workflow, list)
        local = { index, row, journal, log, tx in
            guard case .local(let body, let undo) = steps[index].work else { return row.state }
            let (run, state) = try Self.open(workflow, row, needs, journal, log)
            guard row.direction == .forward else {
                try undo?(state, run, tx)
                return row.state
            }
            var next = state
            try body(&next, run, tx)
            return try W.text(next)
        }
        remote = { index, row, journal, log in
            guard case .remote(let body, let undo) = steps[index].work else { return row.state }
            let (run, state) = try Self.open(workflow, row, needs, journal, log)
            guard row.direction == .forward else {
                try await undo?(state, run)
                return row.state
            }
            var next = state
            try await body(&next, run)
            return try W.text(next)
        }
        isNeeded = { index, row in
            guard let need = steps[index].need else { return true }
            return try Self.readable { try need(try W.value(from: row.state), try W.value(from: row.input)) }
        }
        receive = { index, row, signal in
            guard case .wait(let receive) = steps[index].work else { return nil }
            var state: W.State = try Self.readable { try W.value(from: row.state) }
            return try receive(&state, signal) ? try W.text(state) : nil
        }
    }

    private static func open<W: Workflow>(
        _: W.Type, _ row: WorkflowRecord, _ needs: W.Needs, _ journal: Journal, _ log: Logger
    ) throws -> (Run<W>, W.State) {
        try readable { (try Run<W>(row, needs, journal, log), try W.value(from: row.state)) }
    }

    /// Marks a failure to decode as `UnreadableRow`. A row that this binary cannot read is not a failed step: nothing
    /// may be undone because of it.
    private static func readable<Value>(_ body: () throws -> Value) throws -> Value {
        do { return try body() } catch { throw UnreadableRow(cause: error) }
    }
}

/// A row whose input or state this binary cannot decode: its shape was changed without a new version.
struct UnreadableRow: Error {
    let cause: any Error
}

/// A declaration that cannot be used: a mistake of the programmer, found at the start of the process.
package struct WorkflowDeclarationError: Error, Sendable, CustomStringConvertible {
    package let description: String
}

/// All workflows that a runner can carry out.
struct WorkflowCatalog: Sendable {
    private let definitions: [Outline.Key: WorkflowDefinition]
    private let limits: [WorkflowKind: Int]

    init(_ definitions: [WorkflowDefinition]) throws {
        var known: [Outline.Key: WorkflowDefinition] = [:]
        for definition in definitions {
            if known.updateValue(definition, forKey: definition.outline.key) != nil {
                throw WorkflowDeclarationError(description: "\(definition.outline.key) is registered twice.")
            }
        }
        self.definitions = known
        limits = Dictionary(
            known.values.compactMap { definition in definition.outline.mostAtOnce.map { (definition.outline.key.kind, $0) } },
            uniquingKeysWith: min)
    }

    var keys: Set<Outline.Key> { Set(definitions.keys) }

    /// Returns the most workflows of a kind that one process carries out at a time, over all versions; nil for as many
    /// as it has places.
    func mostAtOnce(_ kind: WorkflowKind) -> Int? { limits[kind] }

    func knows(_ key: Outline.Key, fingerprint: String) -> Bool { definitions[key]?.outline.fingerprint == fingerprint }

    func isRemote(_ row: WorkflowRecord) -> Bool {
        guard let outline = definitions[row.outlineKey]?.outline, let at = outline.index(of: row.step) else { return false }
        return outline.steps[at].isRemote
    }

    /// Returns the definition of a row's workflow, or the reason why there is none.
    func definition(for row: WorkflowRecord) -> Result<WorkflowDefinition, Unknown> {
        guard let definition = definitions[row.outlineKey] else {
            return .failure(Unknown(reason: "This binary does not know \(row.outlineKey)."))
        }
        guard definition.outline.fingerprint == row.fingerprint, definition.outline.index(of: row.step) != nil else {
            return .failure(
                Unknown(
                    reason: """
                        The steps of \(row.outlineKey) are not those it was started with: \
                        it has [\(row.fingerprint)] and this binary [\(definition.outline.fingerprint)].
                        """))
        }
        return .success(definition)
    }

    struct Unknown: Error {
        let reason: String
    }
}
