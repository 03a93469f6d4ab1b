import CloudCore
import CoreMetrics
import Synchronization
import Telemetry

/// The times of one route's requests, a timer for each status. A timer is looked up once, and not for each request.
final class RouteTimers: Sendable {
    static let name = "novella_http_request_duration_seconds"
    static let cutOff = "novella_http_requests_cut_off_total"

    let service: String
    let route: String
    private let metrics: PrometheusMetrics
    private let timers = Mutex<[Int: Timer]>([:])

    init(_ service: String, _ route: String, _ metrics: PrometheusMetrics) {
        self.service = service
        self.route = route
        self.metrics = metrics
    }

    func record(status: Int, took: Duration) {
        let (seconds, attoseconds) = took.components
        timer(status).recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }

    /// Counts a request that was cut off.
    func count(_ end: Budget.End) {
        let reason =
            switch end {
            case .late: "late"
            case .clientLeft: "client left"
            case .answered: "answered"
            }
        let labels = [("service", service), ("route", route), ("reason", reason)]
        Counter(label: Self.cutOff, dimensions: labels, factory: metrics).increment()
    }

    private func timer(_ status: Int) -> Timer {
        timers.withLock { timers in
            if let timer = timers[status] { return timer }
            let labels = [("service", service), ("route", route), ("status", "\(status)")]
            let timer = Timer(label: Self.name, dimensions: labels, factory: metrics)
            timers[status] = timer
            return timer
        }
    }
}
