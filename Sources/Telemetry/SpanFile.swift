package import CloudCore
import Synchronization
package import Tracing

/// A tracer that writes finished spans to a file, each as a line of OTLP's JSON, which an OpenTelemetry collector reads
/// (`otlpjsonfile`).
package final class SpanFile: Tracer {
    package let file: LineFile
    private let world: World
    /// The spans of the requests in progress, by request id.
    private let requests = Mutex<[String: TraceParent]>([:])

    package init(_ file: LineFile, world: World) {
        self.file = file
        self.world = world
    }

    package func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> InstrumentationContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> FileSpan {
        var context = context()
        let parent = context.parent
        let own = context.own ?? TraceParent(trace: parent?.trace ?? hex(16), span: hex(8))
        context.own = nil
        context.parent = own
        let began = instant().nanosecondsSinceEpoch
        let head = FileSpan.Head(own: own, parent: parent, context: context, kind: kind, began: began)
        return FileSpan(operationName, head, file)
    }

    /// Returns a place for a new span in the trace whose id has the digits of the request id.
    package func place(inTraceOf requestID: String) -> TraceParent? {
        TraceParent(uuid: requestID).map { TraceParent(trace: $0.trace, span: hex(8)) }
    }

    /// Returns the span of a request in progress. A transaction looks it up by the request id, because it may run on a
    /// thread outside of any task.
    package func place(of requestID: String?) -> TraceParent? {
        requestID.flatMap { id in requests.withLock { $0[id] } }
    }

    package func setPlace(_ place: TraceParent?, of requestID: String) { requests.withLock { $0[requestID] = place } }

    private func hex(_ count: Int) -> String { Hex.text(world.random.bytes(count)) }

    package func forceFlush() { file.flush() }

    // MARK: From and to other processes

    private static let header = "traceparent"

    package func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier, into context: inout InstrumentationContext, using extractor: Extract
    ) where Extract.Carrier == Carrier {
        guard let text = extractor.extract(key: Self.header, from: carrier) else { return }
        context.parent = TraceParent(text)
    }

    package func inject<Carrier, Inject: Injector>(
        _ context: InstrumentationContext, into carrier: inout Carrier, using injector: Inject
    ) where Inject.Carrier == Carrier {
        guard let parent = context.parent else { return }
        injector.inject(parent.description, forKey: Self.header, into: &carrier)
    }
}

/// A span that is written when it ends.
package final class FileSpan: Tracing.Span {
    private struct State {
        var name: String
        var attributes: SpanAttributes = [:]
        var status: SpanStatus?
        var events: [SpanEvent] = []
        var hasEnded = false
    }

    /// The facts that are known at the beginning.
    fileprivate struct Head {
        let own: TraceParent
        let parent: TraceParent?
        let context: InstrumentationContext
        let kind: SpanKind
        /// The beginning in nanoseconds since 1970.
        let began: UInt64
    }

    package var context: InstrumentationContext { head.context }
    private let head: Head
    private let file: LineFile
    private let state: Mutex<State>

    fileprivate init(_ name: String, _ head: Head, _ file: LineFile) {
        self.head = head
        self.file = file
        state = Mutex(State(name: name))
    }

    package var operationName: String {
        get { state.withLock { $0.name } }
        set { state.withLock { $0.name = newValue } }
    }

    package var attributes: SpanAttributes {
        get { state.withLock { $0.attributes } }
        set { state.withLock { $0.attributes = newValue } }
    }

    package var isRecording: Bool { state.withLock { !$0.hasEnded } }

    package func setStatus(_ status: SpanStatus) { state.withLock { $0.status = status } }

    package func addEvent(_ event: SpanEvent) { state.withLock { $0.events.append(event) } }

    /// Does nothing: no span here has more than one cause.
    package func addLink(_ link: SpanLink) {}

    package func recordError<Instant: TracerInstant>(
        _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
    ) {
        var attributes = attributes
        attributes["exception.message"] = "\(error)"
        addEvent(SpanEvent(name: "exception", at: instant(), attributes: attributes))
    }

    package func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        let last = state.withLock { state -> State? in
            defer { state.hasEnded = true }
            return state.hasEnded ? nil : state
        }
        guard let last else { return }
        file.add(line(last, max(head.began, instant().nanosecondsSinceEpoch)))
    }

    /// Returns a whole `TracesData`, since OTLP's file format has one in each line.
    private func line(_ state: State, _ ended: UInt64) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.array("resourceSpans", of: CollectionOfOne(state)) { writer, state in
                writer.object { writer in
                    writer.object("resource") { $0.attributes(["service.name": "novella"]) }
                    writer.array("scopeSpans", of: CollectionOfOne(state)) { writer, state in
                        writer.object { writer in
                            writer.object("scope") { $0.member("name", "novella") }
                            writer.array("spans", of: CollectionOfOne(state)) { write(&$0, $1, ended) }
                        }
                    }
                }
            }
        }
        return writer.bytes + [UInt8(ascii: "\n")]
    }

    private func write(_ writer: inout JSONWriter, _ state: State, _ ended: UInt64) {
        writer.object { writer in
            writer.member("traceId", head.own.trace)
            writer.member("spanId", head.own.span)
            if let parent = head.parent { writer.member("parentSpanId", parent.span) }
            writer.member("name", state.name)
            writer.member("kind", head.kind.number)
            writer.member("startTimeUnixNano", "\(head.began)")
            writer.member("endTimeUnixNano", "\(ended)")
            writer.attributes(state.attributes)
            if !state.events.isEmpty {
                writer.array("events", of: state.events) { writer, event in
                    writer.object { writer in
                        writer.member("timeUnixNano", "\(event.nanosecondsSinceEpoch)")
                        writer.member("name", event.name)
                        writer.attributes(event.attributes)
                    }
                }
            }
            writer.object("status") { writer in
                guard let status = state.status else { return }
                if let message = status.message { writer.member("message", message) }
                let code: Int = status.code == .ok ? 1 : 2
                writer.member("code", code)
            }
        }
    }
}

extension SpanKind {
    /// The number of the kind in OTLP.
    fileprivate var number: Int {
        switch self {
        case .internal: 1
        case .server: 2
        case .client: 3
        case .producer: 4
        case .consumer: 5
        }
    }
}

extension JSONWriter {
    /// The attributes of HTTP clients that may contain the secrets of signed URLs.
    private static var leftOut: [String] { ["url.full", "url.query"] }

    /// Writes attributes in the order of their names.
    fileprivate mutating func attributes(_ attributes: SpanAttributes) {
        var pairs: [(key: String, value: SpanAttribute)] = []
        attributes.forEach { if !Self.leftOut.contains($0) { pairs.append(($0, $1)) } }
        array("attributes", of: pairs.sorted { $0.key < $1.key }) { writer, pair in
            writer.object { writer in
                writer.member("key", pair.key)
                writer.object("value") { writer in
                    switch pair.value {
                    case .int32(let value): writer.member("intValue", "\(value)")
                    case .int64(let value): writer.member("intValue", "\(value)")
                    case .double(let value): writer.member("doubleValue", value)
                    case .bool(let value): writer.member("boolValue", value)
                    case .string(let value): writer.member("stringValue", value)
                    case .stringConvertible(let value): writer.member("stringValue", "\(value)")
                    // No attribute here is a list of values.
                    default: writer.member("stringValue", "\(pair.value)")
                    }
                }
            }
        }
    }
}
