import CloudCore
import Synchronization

/// The counters of the process, in Prometheus' text format.
package final class Metrics: Sendable {
    /// Upper bounds of the duration histogram, in seconds.
    private static let bounds: [Double] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]

    private struct Series: Hashable {
        let service: String
        let route: String
        let status: Int
    }

    private struct Durations {
        var buckets = [UInt64](repeating: 0, count: Metrics.bounds.count + 1)
        var sum = 0.0
    }

    private struct State {
        var requests: [Series: Durations] = [:]
        var gauges: [String: @Sendable () -> Double] = [:]
        var help: [String: String] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    func request(service: String, route: String, status: Int, took: Duration) {
        let seconds = took.inSeconds
        let bucket = Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count
        state.withLock { state in
            state.requests[Series(service: service, route: route, status: status), default: Durations()].buckets[bucket] += 1
            state.requests[Series(service: service, route: route, status: status), default: Durations()].sum += seconds
        }
    }

    /// Adds a value that is read for each scrape.
    package func gauge(_ name: String, help: String, _ value: @escaping @Sendable () -> Double) {
        state.withLock { state in
            state.gauges[name] = value
            state.help[name] = help
        }
    }

    /// All metrics as text (Prometheus text format 0.0.4).
    package var text: String {
        let (requests, gauges, help) = state.withLock { ($0.requests, $0.gauges, $0.help) }
        var out = "# HELP novella_http_request_duration_seconds Time from a request's head to the end of its answer.\n"
        out += "# TYPE novella_http_request_duration_seconds histogram\n"
        for (series, durations) in requests.sorted(by: { ($0.key.route, $0.key.status) < ($1.key.route, $1.key.status) }) {
            let labels = "service=\"\(series.service)\",route=\"\(series.route)\",status=\"\(series.status)\""
            var total: UInt64 = 0
            for (bound, count) in zip(Self.bounds.map { "\($0)" } + ["+Inf"], durations.buckets) {
                total += count
                out += "novella_http_request_duration_seconds_bucket{\(labels),le=\"\(bound)\"} \(total)\n"
            }
            out += "novella_http_request_duration_seconds_sum{\(labels)} \(durations.sum)\n"
            out += "novella_http_request_duration_seconds_count{\(labels)} \(total)\n"
        }
        for (name, value) in gauges.sorted(by: { $0.key < $1.key }) {
            out += "# HELP \(name) \(help[name] ?? "")\n# TYPE \(name) gauge\n\(name) \(value())\n"
        }
        return out
    }
}
