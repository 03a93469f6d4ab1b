import CloudCore
import HTTPTypes
import Telemetry
import Tracing

extension Responder {
    /// Answers a request within a span of its own.
    ///
    /// The span is part of the caller's trace if a `traceparent` names one. Otherwise it begins a trace that has the
    /// digits of the request id, by which both are found.
    func respond(to head: HTTPRequest, _ arrival: Arrival, _ requestID: String, _ spans: SpanFile) async -> Reply {
        var context = InstrumentationContext()
        spans.extract(head.headerFields, into: &context, using: HeaderExtractor())
        if context.parent == nil { context.own = spans.place(inTraceOf: requestID) }
        let span = spans.startSpan(head.method.rawValue, context: context, ofKind: .server, at: world.now)
        spans.setPlace(span.context.parent, of: requestID)
        let (reply, timers) = await InstrumentationContext.$current.withValue(span.context) {
            await answer(head, arrival, requestID)
        }
        spans.setPlace(nil, of: requestID)
        span.operationName = timers.route
        var attributes: SpanAttributes = [:]
        attributes["http.request.method"] = head.method.rawValue
        attributes["http.route"] = timers.route
        attributes["http.response.status_code"] = reply.status.code
        attributes["novella.service"] = timers.service
        attributes["novella.request_id"] = requestID
        span.attributes = attributes
        if reply.status.code >= 500 { span.setStatus(SpanStatus(code: .error)) }
        span.end(at: world.now)
        return reply
    }
}

private struct HeaderExtractor: Extractor {
    func extract(key: String, from headers: HTTPFields) -> String? { HTTPField.Name(key).flatMap { headers[$0] } }
}
