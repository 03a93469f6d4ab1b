import CloudCore

/// The next form of a row and the events that explain it. Both are recorded together or not at all.
struct Transition: Equatable, Sendable {
    var row: WorkflowRecord
    /// Whether a waiting delete takes the place of the row, because the row is retried again and again without success.
    var givesWay = false
    private(set) var events: [WorkflowEvent]

    init(_ row: WorkflowRecord, now: Timestamp, events: [WorkflowEvent] = []) {
        self.row = row
        self.row.updatedAt = now
        self.events = events
    }

    /// Adds an event of the step that the row is at.
    mutating func event(_ kind: WorkflowEvent.Kind, data: String? = nil) {
        events.append(WorkflowEvent(row, kind, data: data))
    }

    mutating func note(_ texts: [String]) {
        for text in texts { event(.note, data: text) }
    }

    /// Adds a transition that begins where this one ends. Both are recorded as one.
    mutating func append(_ next: Transition) {
        (row, givesWay) = (next.row, next.givesWay)
        events += next.events
    }

    mutating func enter(_ step: String) {
        row.step = step
        row.attempt = 0
        row.waitUntil = nil
    }

    mutating func finish(_ status: WorkflowRecord.Status, now: Timestamp) {
        row.status = status
        row.waitUntil = nil
        row.finishedAt = now
    }
}

extension WorkflowEvent {
    init(_ row: WorkflowRecord, _ kind: Kind, data: String? = nil) {
        self.init(step: row.step, direction: row.direction, kind: kind, attempt: row.attempt, data: data)
    }
}

extension Failure {
    /// The failure as JSON. Encoding a struct of texts does not fail; if it ever did, the message alone is better than
    /// a lost record.
    var json: String { (try? StoredJSON.text(self)) ?? message }
}
