package import CloudCore
package import SQL
package import Telemetry

/// The front of the engine: what services start, signal, cancel and ask. It needs no code of any step, so services and
/// the steps' own needs can hold it.
package struct Workflows: Sendable {
    let outlines: [Outline.Key: Outline]
    let world: World
    /// Nil: nothing has spans.
    let spans: SpanFile?
    package let bell: Bell
    let store = WorkflowStore()
    let signals = SignalStore()

    /// - Parameter types: every workflow of the process, also the former versions that may still be under way.
    /// - Throws: `WorkflowDeclarationError` when a declaration is wrong or two have the same kind and version.
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

    /// Where a request comes from, and what happens when its resource is busy.
    package struct StartOptions: Sendable {
        /// What becomes of a start on a resource that another workflow is active on.
        package enum WhenBusy: Sendable {
            /// It is refused with a conflict.
            case refuse
            /// It waits its turn behind what is active and what waits already. It is refused where `most` wait, where a delete
            /// waits, and where the active one is stuck or blocked.
            case wait(most: Int)
            /// For deletes. What is stuck or blocked gives way; what waits its turn is called off; what runs is cancelled, and
            /// this one begins when it has ended.
            /// Where a workflow of the same kind is active or queued already, the answer is that one.
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
    /// - Parameter principal: who asked for it; nil when the cloud itself does.
    /// - Throws: a `CloudError` of kind `conflict` when the resource is busy.
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

    /// A resource's agents refuse whoever comes with a lower epoch than they have seen, so one workflow's epochs begin where
    /// the last one's ended. The clock stands in for what the history no longer has.
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
    /// - Throws: a conflict where no further workflow may wait.
    private func lastPlace(behind active: WorkflowRecord, most: Int, in tx: Transaction) throws -> Int {
        let line = try store.listQueued(on: active.resource, in: tx)
        guard !active.status.needsAttention, line.first?.place != 0, line.count < most else { throw busy(active) }
        return line.last?.place ?? 0
    }

    /// Makes way for a delete. The id of a workflow that already does what is asked for, or nil when a new one is needed.
    private func superseded(
        _ active: WorkflowRecord, by kind: WorkflowKind, now: Timestamp, in tx: Transaction
    ) throws -> WorkflowID? {
        if active.status.needsAttention {
            try callOffLine(on: active.resource, in: tx)
            let gone = Planner().gaveWay(Transition(active, now: now), now: now)
            // The delete itself comes next: what waits, if only to be undone, stays behind it.
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

    /// Ends what waits its turn on a resource. Nothing of it has begun; what was made with its start is undone when its turn comes.
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

    /// Gives a signal to the workflow that is active on a resource, whether it waits for it already or will later.
    ///
    /// - Parameter payload: what `Signal.decode` gives back.
    /// - Returns: false when nothing is active there: then the signal is late, and forgotten.
    @discardableResult
    package func signal(
        _ name: SignalName, payload: (any StoredValue)? = nil, to resource: ResourceKey, in tx: Transaction
    ) throws -> Bool {
        guard let active = try store.findActive(on: resource, in: tx) else { return false }
        try signals.insert(name, payload: try payload.map { try StoredJSON.text($0) }, for: active.id, now: world.now, in: tx)
        tx.afterCommit { [bell] in bell.ring() }
        return true
    }

    /// Asks for a workflow to be undone. It is heard between two steps, in a wait, and where a step calls
    /// `checkCancelled()`; past the point of no return it is not heard.
    package func requestCancel(_ id: WorkflowID, in tx: Transaction) throws {
        try store.setCancelRequested(id, now: world.now, in: tx)
        tx.afterCommit { [bell] in bell.ring(for: id) }
    }

    // MARK: The operator

    /// Ends a workflow where it is, without an undo: its resource is free, and what it has left in the world is the
    /// operator's. An owner that still runs it loses it.
    ///
    /// - Parameters:
    ///   - reason: never empty; it is kept with the row.
    ///   - author: who decided it.
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

    /// Lets a workflow try again once the cause is removed: one that is stuck or blocked, or one whose step waits for its next attempt.
    package func retry(_ id: WorkflowID, by author: String, in tx: Transaction) throws {
        let row = try requireActive(id, in: tx)
        guard row.status.needsAttention || row.isTriedAgain else {
            throw CloudError.conflict("The workflow is \(row.status.rawValue), and no step of it waits to be tried again.")
        }
        var again = Transition(row, now: world.now)
        again.row.status = .ready
        again.row.reason = nil
        again.row.runAfter = world.now
        // The budget begins anew; that the step was begun once must stay known, or its undo would be left out.
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

    /// Records what is decided over the head of an owner. The condition on the epoch makes the two exclude each other:
    /// whatever the owner writes next finds another status, and stops.
    ///
    /// - Parameter releasing: whether the next in the line begins if the row has ended.
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
