package import CoreMetrics
import Synchronization

/// The store of swift-metrics' figures, which writes them in the text format of Prometheus.
///
/// A handler is looked up when a `Counter`, `Meter`, `Recorder` or `Timer` is created. Code on a hot path creates it
/// once and keeps it.
package final class PrometheusMetrics: MetricsFactory {
    private struct Family {
        /// The type in Prometheus' words: `counter`, `gauge` or `histogram`.
        let type: String
        /// The handlers by their written labels.
        var series: [String: any Figure] = [:]
    }

    private struct State {
        var families: [String: Family] = [:]
        var help: [String: String] = [:]
        var readers: [@Sendable (PrometheusMetrics) async -> Void] = []
    }

    private let state = Mutex(State())
    private let bounds: [Double]

    /// Creates an empty store.
    ///
    /// - Parameter bounds: the upper bounds of histograms in rising order; in seconds for times.
    package init(bounds: [Double] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]) {
        self.bounds = bounds
    }

    /// Sets the help text of a figure.
    package func describe(_ name: String, _ help: String) { state.withLock { $0.help[name] = help } }

    /// Registers a function that is called before each text, to set figures that are not counted.
    package func beforeText(_ read: @escaping @Sendable (PrometheusMetrics) async -> Void) {
        state.withLock { $0.readers.append(read) }
    }

    /// Adds a gauge whose value is read for each text.
    package func gauge(_ name: String, help: String, _ value: @escaping @Sendable () -> Double) {
        describe(name, help)
        beforeText { Meter(label: name, factory: $0).set(value()) }
    }

    /// Returns the exposition (Prometheus text format 0.0.4).
    package func text() async -> String {
        for read in state.withLock({ $0.readers }) { await read(self) }
        let (families, help) = state.withLock { ($0.families, $0.help) }
        var out = ""
        for (name, family) in families.sorted(by: { $0.key < $1.key }) where !family.series.isEmpty {
            if let help = help[name] { out += "# HELP \(name) \(help)\n" }
            out += "# TYPE \(name) \(family.type)\n"
            let series = family.series.sorted { $0.key < $1.key }
            for (labels, figure) in series { figure.write(name, labels, to: &out) }
        }
        return out
    }

    // MARK: MetricsFactory

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        find(label, dimensions, "counter") { Value() } ?? NOOPMetricsHandler.instance
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        find(label, dimensions, "gauge") { Value() } ?? NOOPMetricsHandler.instance
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        guard aggregate else { return find(label, dimensions, "gauge") { Value() } ?? NOOPMetricsHandler.instance }
        return find(label, dimensions, "histogram") { Histogram(bounds) } ?? NOOPMetricsHandler.instance
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        find(label, dimensions, "histogram") { Histogram(bounds) } ?? NOOPMetricsHandler.instance
    }

    package func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    package func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    package func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    package func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

    /// Returns the handler with the labels, and creates it the first time; nil if the name has figures of another type.
    private func find<Handler: Figure>(
        _ label: String, _ dimensions: [(String, String)], _ type: String, _ make: () -> Handler
    ) -> Handler? {
        let name = Self.name(label)
        let labels = dimensions.map { "\(Self.name($0))=\"\(Self.escaped($1))\"" }.joined(separator: ",")
        return state.withLock { state in
            if let found = state.families[name]?.series[labels] {
                return state.families[name]?.type == type ? found as? Handler : nil
            }
            let handler = make()
            guard state.families[name, default: Family(type: type)].type == type else { return nil }
            state.families[name, default: Family(type: type)].series[labels] = handler
            return handler
        }
    }

    private func remove(_ handler: AnyObject) {
        state.withLock { state in
            state.families = state.families.mapValues { family in
                Family(type: family.type, series: family.series.filter { $0.value !== handler })
            }
        }
    }

    /// Returns the name as Prometheus allows it; libraries use dots and dashes.
    private static func name(_ text: String) -> String {
        text.replacing(/[^a-zA-Z0-9_:]/, with: "_")
    }

    private static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == 0x22 || $0 == 0x5c || $0 == 0x0a }) else { return text }
        return text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}

/// One series of a figure.
private protocol Figure: AnyObject, Sendable {
    func write(_ name: String, _ labels: String, to out: inout String)
}

/// A number that is counted or set. It is written as it was set: whole or with a fraction.
private final class Value: Figure, CounterHandler, MeterHandler, RecorderHandler {
    private enum Number {
        case whole(Int64)
        case real(Double)

        var real: Double {
            switch self {
            case .whole(let value): Double(value)
            case .real(let value): value
            }
        }
    }

    private let number = Mutex(Number.whole(0))

    func increment(by amount: Int64) {
        number.withLock { number in
            guard case .whole(let value) = number else { return }
            number = .whole(value &+ amount)
        }
    }
    func reset() { number.withLock { $0 = .whole(0) } }
    func set(_ value: Int64) { number.withLock { $0 = .whole(value) } }
    func set(_ value: Double) { number.withLock { $0 = .real(value) } }
    func increment(by amount: Double) { number.withLock { $0 = .real($0.real + amount) } }
    func decrement(by amount: Double) { number.withLock { $0 = .real($0.real - amount) } }
    func record(_ value: Int64) { set(value) }
    func record(_ value: Double) { set(value) }

    func write(_ name: String, _ labels: String, to out: inout String) {
        let text =
            switch number.withLock({ $0 }) {
            case .whole(let value): "\(value)"
            case .real(let value): "\(value)"
            }
        out += labels.isEmpty ? "\(name) \(text)\n" : "\(name){\(labels)} \(text)\n"
    }
}

/// A histogram of values, or of times in seconds.
private final class Histogram: Figure, TimerHandler, RecorderHandler {
    private struct Counts {
        var buckets: [UInt64]
        var sum = 0.0
    }

    private let bounds: [Double]
    private let counts: Mutex<Counts>

    init(_ bounds: [Double]) {
        self.bounds = bounds
        counts = Mutex(Counts(buckets: [UInt64](repeating: 0, count: bounds.count + 1)))
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }
    func record(_ value: Double) {
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        counts.withLock { counts in
            counts.buckets[bucket] += 1
            counts.sum += value
        }
    }

    func write(_ name: String, _ labels: String, to out: inout String) {
        let counts = counts.withLock { $0 }
        let braced = labels.isEmpty ? "" : "{\(labels)}"
        let before = labels.isEmpty ? "" : labels + ","
        var total: UInt64 = 0
        for (bound, count) in zip(bounds.map { "\($0)" } + ["+Inf"], counts.buckets) {
            total += count
            out += "\(name)_bucket{\(before)le=\"\(bound)\"} \(total)\n"
        }
        out += "\(name)_sum\(braced) \(counts.sum)\n\(name)_count\(braced) \(total)\n"
    }
}
