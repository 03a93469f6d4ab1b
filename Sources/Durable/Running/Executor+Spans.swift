import CloudCore
import Telemetry
import Tracing

/// The spans of workflows and of their steps. All of it follows from the row, so the steps that several processes
/// carry out are parts of one span.
extension Executor {
    /// Runs `body` as a part of the span, so that requests to others carry it on.
    func within<Value: Sendable>(_ span: FileSpan?, _ body: () async throws -> Value) async rethrows -> Value {
        guard let span else { return try await body() }
        return try await InstrumentationContext.$current.withValue(span.context, operation: body)
    }

    func startSpan(ofStep row: WorkflowRecord) -> FileSpan? {
        guard let spans, let place = row.tracePlace else { return nil }
        let name = row.direction == .undo ? "undo \(row.step)" : row.step
        let span = spans.startSpan("\(row.kind) \(name)", context: InstrumentationContext(parent: place), at: world.now)
        span.attributes = row.attributes
        span.attributes["novella.step"] = row.step
        span.attributes["novella.direction"] = row.direction.rawValue
        span.attributes["novella.attempt"] = row.attempt
        return span
    }

    func setFailure(_ span: FileSpan?, _ row: WorkflowRecord, _ error: any Error) {
        span?.setStatus(SpanStatus(code: .error, message: Verdict(error, step: row.step).failure.text))
    }

    /// Ends the span of a step, and writes those of the other steps that the same transaction ended.
    func end(_ span: FileSpan?, _ turn: Turn) {
        guard spans != nil else { return }
        // Nothing was ended if the answer of an earlier commit was lost.
        if turn.ended.isEmpty { end(span, turn.row, turn.row) }
        for (place, step) in turn.ended.enumerated() {
            end(place == 0 ? span : startSpan(ofStep: step.before), step.before, step.after)
        }
    }

    /// Ends the span of a step, with the status that the row has afterwards.
    private func end(_ span: FileSpan?, _ row: WorkflowRecord, _ next: WorkflowRecord) {
        guard let span else { return }
        span.attributes["novella.status"] = next.status.rawValue
        if let failure = next.failure, row.failure == nil {
            span.setStatus(SpanStatus(code: .error, message: failure.text))
        }
        span.end(at: world.now)
    }

    /// Writes the span of the whole, from its start to its end.
    func writeSpan(ofEnded row: WorkflowRecord) {
        guard let spans, let ended = row.finishedAt, let place = row.tracePlace else { return }
        let context = InstrumentationContext(parent: row.trace.flatMap { TraceParent($0) }, own: place)
        let span = spans.startSpan("\(row.kind)", context: context, at: row.createdAt)
        span.attributes = row.attributes
        span.attributes["novella.status"] = row.status.rawValue
        if let failure = row.failure { span.setStatus(SpanStatus(code: .error, message: failure.text)) }
        span.end(at: ended)
    }
}

extension WorkflowRecord {
    /// The place of the span of the whole: in the trace of the request that started it, or in one of its own.
    fileprivate var tracePlace: TraceParent? {
        guard let own = TraceParent(uuid: id.text) else { return nil }
        return TraceParent(trace: trace.flatMap { TraceParent($0) }?.trace ?? own.trace, span: own.span)
    }

    fileprivate var attributes: SpanAttributes {
        var attributes: SpanAttributes = [:]
        attributes["novella.workflow"] = "\(kind)"
        attributes["novella.workflow_id"] = id.text
        attributes["novella.resource"] = "\(resource)"
        if let requestID { attributes["novella.request_id"] = requestID }
        return attributes
    }
}
