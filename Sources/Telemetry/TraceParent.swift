package import CloudCore
package import Tracing

/// The place of a span: the ids of its trace and of the span itself. The text is W3C's `traceparent`.
package struct TraceParent: Sendable, Hashable, LosslessStringConvertible {
    /// The trace's id: 32 hexadecimal digits.
    package let trace: String
    /// The span's id: 16 hexadecimal digits.
    package let span: String

    package init(trace: String, span: String) {
        self.trace = trace
        self.span = span
    }

    /// Returns nil for any text that W3C's Trace Context does not allow.
    package init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false).map(Substring.init)
        // The first version has exactly four parts; later ones may have more.
        guard parts.count == 4 || (parts.count > 4 && parts[0] != "00"), parts[0] != "ff",
            parts.prefix(4).map(\.utf8.count) == [2, 32, 16, 2], parts.prefix(4).allSatisfy(Self.isHex),
            parts[1].contains(where: { $0 != "0" }), parts[2].contains(where: { $0 != "0" })
        else { return nil }
        self.init(trace: String(parts[1]), span: String(parts[2]))
    }

    /// Derives a place from a UUID, which may follow another text. The trace gets all its digits, and the span the last
    /// 16.
    package init?(uuid text: String) {
        let digits = text.suffix(36).filter { $0 != "-" }.lowercased()
        guard digits.utf8.count == 32, Self.isHex(digits[...]) else { return nil }
        self.init(trace: digits, span: String(digits.suffix(16)))
    }

    package var description: String { "00-\(trace)-\(span)-01" }

    private static func isHex(_ text: Substring) -> Bool {
        text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }
}

extension InstrumentationContext {
    private enum ParentKey: InstrumentationContextKey { typealias Value = TraceParent }
    private enum OwnKey: InstrumentationContextKey { typealias Value = TraceParent }

    /// The span of which a new one is a part.
    package var parent: TraceParent? {
        get { self[ParentKey.self] }
        set { self[ParentKey.self] = newValue }
    }

    /// The place that the next span takes; nil for a random one. It applies to one span, not to those within it.
    package var own: TraceParent? {
        get { self[OwnKey.self] }
        set { self[OwnKey.self] = newValue }
    }

    package init(parent: TraceParent? = nil, own: TraceParent? = nil) {
        self = .topLevel
        self.parent = parent
        self.own = own
    }
}

extension Timestamp: TracerInstant {
    package var nanosecondsSinceEpoch: UInt64 { UInt64(clamping: microseconds) * 1000 }
}
