package import CloudCore
package import SQL
package import Telemetry

/// The front of the engine, by which services start, signal, cancel and query workflows. It needs no code of the steps,
/// so services and the needs of steps can hold it.
package struct Workflows: Sendable {
    let outlines: [Outline.Key: Outline]
    let world: World
    /// Nil: nothing has spans.
    let spans: SpanFile?
    package let bell: Bell
    let store = WorkflowStore()
    let signals = SignalStore()

    /// Builds the front from the declarations.
    ///
    /// - Parameters:
    ///   - types: all workflows of the process, also older versions that may still be unfinished.
    ///   - spans: the file for spans of workflows and their steps; nil for none.
    /// - Throws: `WorkflowDeclarationError` if a declaration is wrong, or if two have the same kind and version.
    package init(_ types: [any Workflow.Type], world: World, bell: Bell = Bell(), spans: SpanFile? = nil) throws {
        var outlines: [Outline.Key: Outline] = [:]
        for type in types {
            let outline = Outline(type)
            if let problem = outline.problems.first {
                throw WorkflowDeclarationError(description: "\(outline.key) \(problem).")
            }
            if outlines.updateValue(outline, forKey: outline.key) != nil {
                throw WorkflowDeclarationError(description: "\(outline.key) is listed twice.")
            }
        }
        self.outlines = outlines
        self.world = world
        self.bell = bell
        self.spans = spans
    }

    /// The origin of a start, and the treatment of a busy resource.
    package struct StartOptions: Sendable {
        /// The treatment of a start on a resource that has an active workflow.
        package enum WhenBusy: Sendable {
            /// The start is refused with a conflict.
            case refuse
            /// The workflow waits its turn behind the active workflow and the queue. The start is refused if `most`
            /// workflows wait already, if a delete waits, or if the active workflow is stuck or blocked.
            case wait(most: Int)
            /// For deletes. A workflow that is stuck or blocked gives way. The queued workflows are called off. A
            /// workflow that runs is cancelled, and the new one begins when it has ended. If a workflow of the same
            /// kind is already active or queued first, `start` returns the id of that one.
            case supersede
        }

        package var requestID: String?
        package var whenBusy: WhenBusy

        package init(requestID: String? = nil, whenBusy: WhenBusy = .refuse) {
            self.requestID = requestID
            self.whenBusy = whenBusy
        }
    }

    /// Starts a workflow in the caller's transaction: its row and the caller's rows are committed together.
    ///
    /// - Parameter principal: the caller who asked for it; nil if the cloud itself did.
    /// - Throws: a `CloudError` of kind `conflict` if the resource is busy.
    @discardableResult
    package func start<W: Workflow>(
        _ workflow: W.Type, _ input: W.Input, on resource: ResourceKey, as principal: Principal?,
        options: StartOptions = StartOptions(), in tx: Transaction
    ) throws -> WorkflowID {
        guard let outline = outlines[Outline.Key(kind: W.kind, version: W.version)], let first = outline.first else {
            throw CloudError.internalError("\(W.kind) version \(W.version) was started and is not registered")
        }
        let now = world.now
        var status = WorkflowRecord.Status.ready
        var place = 0
        if let active = try store.findActive(on: resource, in: tx) {
            switch options.whenBusy {
            case .refuse: throw busy(active)
            case .wait(let most):
                place = try lastPlace(behind: active, most: most, in: tx) + 1
                status = .queued
            case .supersede:
                if let same = try superseded(active, by: W.kind, now: now, in: tx) { return same }
                if !active.status.needsAttention { status = .queued }
            }
        }
        let row = WorkflowRecord(
            id: WorkflowID(world.random.uuid()), kind: W.kind, version: W.version, fingerprint: outline.fingerprint,
            resource: resource, projectID: principal?.projectID, requestID: options.requestID,
            principal: try principal.map { try StoredJSON.text($0) },
            trace: spans?.place(of: options.requestID)?.description, input: try W.text(input),
            state: try W.text(W.start(input)), status: status, direction: .forward, step: first.name, attempt: 0,
            interrupted: 0, progress: 0, epoch: try firstEpoch(on: resource, now: now, in: tx),
            sequence: 0, runAfter: now, cancelRequested: false, place: place, createdAt: now, updatedAt: now)
        try store.insert(row, in: tx)
        tx.afterCommit { [bell] in bell.ring() }
        return row.id
    }

    /// Returns the first epoch of a new workflow. Agents refuse a lower epoch than they have seen for a resource, so
    /// the epochs of one workflow begin where those of the last one ended. The clock stands in for workflows that are
    /// deleted from the history.
    private func firstEpoch(on resource: ResourceKey, now: Timestamp, in tx: Transaction) throws -> Int64 {
        max(try store.lastEpoch(on: resource, in: tx) ?? 0, now.seconds)
    }

    private func busy(_ active: WorkflowRecord) -> CloudError {
        CloudError(
            .conflict, "Another action on this resource is in progress. Please wait until it has ended.",
            detail: "\(active.kind) \(active.id) is \(active.status.rawValue) at '\(active.step)' on \(active.resource)")
    }

    /// Returns the last place that is taken in the line behind an active workflow.
    ///
    /// - Throws: a conflict if no further workflow may wait.
    private func lastPlace(behind active: WorkflowRecord, most: Int, in tx: Transaction) throws -> Int {
        let line = try store.listQueued(on: active.resource, in: tx)
        guard !active.status.needsAttention, line.first?.place != 0, line.count < most else { throw busy(active) }
        return line.last?.place ?? 0
    }

    /// Makes way for a delete. Returns the id of a workflow that already does what is asked for, or nil if a new one is
    /// needed.
    private func superseded(
        _ active: WorkflowRecord, by kind: WorkflowKind, now: Timestamp, in tx: Transaction
    ) throws -> WorkflowID? {
        if active.status.needsAttention {
            try callOffLine(on: active.resource, in: tx)
            let gone = Planner().gaveWay(Transition(active, now: now), now: now)
            // The delete itself comes next. Queued workflows stay behind it, even those that only wait to be undone.
            try takeAway(active, gone, releasing: false, in: tx)
            return nil
        }
        if active.kind == kind { return active.id }
        try requestCancel(active.id, in: tx)
        guard let first = try store.listQueued(on: active.resource, in: tx).first, first.place == 0 else {
            try callOffLine(on: active.resource, in: tx)
            return nil
        }
        guard first.kind == kind else { throw busy(first) }
        return first.id
    }

    /// Ends the queued workflows of a resource. No step of them has begun. A workflow with an undo for its start is
    /// cancelled instead, and runs that undo when its turn comes.
    private func callOffLine(on resource: ResourceKey, in tx: Transaction) throws {
        for waiting in try store.listQueued(on: resource, in: tx) {
            if outlines[waiting.outlineKey]?.undoesStart == true {
                try requestCancel(waiting.id, in: tx)
                continue
            }
            let gone = Planner().calledOff(waiting, .cancelled(at: waiting.step), now: world.now)
            try takeAway(waiting, gone, releasing: false, in: tx)
        }
    }

    // MARK: Signals and cancels

    /// Gives a signal to the active workflow of a resource, whether it already waits for the signal or will wait for it
    /// later.
    ///
    /// - Parameter payload: the value that `Signal.decode` returns.
    /// - Returns: false if no workflow is active; the signal is then late and is dropped.
    @discardableResult
    package func signal(
        _ name: SignalName, payload: (any StoredValue)? = nil, to resource: ResourceKey, in tx: Transaction
    ) throws -> Bool {
        guard let active = try store.findActive(on: resource, in: tx) else { return false }
        try signals.insert(name, payload: try payload.map { try StoredJSON.text($0) }, for: active.id, now: world.now, in: tx)
        tx.afterCommit { [bell] in bell.ring() }
        return true
    }

    /// Asks for a workflow to be undone. A workflow notices it between two steps, in a wait, and where a step calls
    /// `checkCancelled()`. It ignores it past the point of no return.
    package func requestCancel(_ id: WorkflowID, in tx: Transaction) throws {
        try store.setCancelRequested(id, now: world.now, in: tx)
        tx.afterCommit { [bell] in bell.ring(for: id) }
    }

    // MARK: The operator

    /// Ends a workflow at its present step without an undo. Its resource becomes free, and the operator must clean up
    /// what the workflow has left behind. A runner that still runs the workflow loses it.
    ///
    /// - Parameters:
    ///   - reason: the operator's reason, never empty; it is kept with the row.
    ///   - author: the operator who decided it.
    package func abandon(_ id: WorkflowID, reason: String, by author: String, in tx: Transaction) throws {
        guard !reason.allSatisfy(\.isWhitespace) else {
            throw CloudError.badRequest("A workflow is abandoned with a reason.")
        }
        let row = try requireActive(id, in: tx)
        let now = world.now
        var gone = Transition(row, now: now)
        gone.row.reason = reason
        gone.row.abandonedBy = author
        gone.event(.note, data: "Abandoned by \(author): \(reason)")
        gone.finish(.abandoned, now: now)
        try takeAway(row, gone, in: tx)
    }

    /// Lets a workflow try again after the cause is removed: a workflow that is stuck or blocked, or one whose step
    /// waits for its next attempt.
    package func retry(_ id: WorkflowID, by author: String, in tx: Transaction) throws {
        let row = try requireActive(id, in: tx)
        guard row.status.needsAttention || row.isTriedAgain else {
            throw CloudError.conflict("The workflow is \(row.status.rawValue), and no step of it waits to be tried again.")
        }
        var again = Transition(row, now: world.now)
        again.row.status = .ready
        again.row.reason = nil
        again.row.runAfter = world.now
        // The budget of attempts starts again. The row must still say that the step was begun, or its undo would be
        // left out.
        again.row.attempt = min(row.attempt, 1)
        again.row.interrupted = 0
        again.event(.note, data: "Tried again by \(author).")
        try takeAway(row, again, in: tx)
    }

    private func requireActive(_ id: WorkflowID, in tx: Transaction) throws -> WorkflowRecord {
        guard let row = try store.find(id, in: tx) else { throw CloudError.notFound("workflow", id.text) }
        guard row.finishedAt == nil else { throw CloudError.conflict("The workflow has ended: it is \(row.status.rawValue).") }
        return row
    }

    /// Records a decision that takes a workflow away from its owner. The condition on epoch and sequence makes the two
    /// exclude each other: the next write of the owner finds another row and stops.
    ///
    /// - Parameter releasing: whether the next workflow of the line begins if this one has ended.
    private func takeAway(
        _ row: WorkflowRecord, _ transition: Transition, releasing: Bool = true, in tx: Transaction
    ) throws {
        let now = try store.record(transition, over: row, in: tx)
        let hasEnded = now.finishedAt != nil
        if hasEnded, releasing { _ = try store.releaseQueued(on: now.resource, now: world.now, in: tx) }
        tx.afterCommit { [bell] in
            bell.ring(for: now.id)
            if hasEnded { bell.ringEnd(of: now.id) }
        }
    }
}
