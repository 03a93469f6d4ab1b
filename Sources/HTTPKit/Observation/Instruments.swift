import CoreMetrics
package import Telemetry
import Tracing

/// Everything that takes note of requests.
package struct Instruments: Sendable {
    package var metrics = PrometheusMetrics()
    /// Nil: requests leave no lines.
    package var accessLog: AccessLog?
    /// Nil: nothing has spans, and costs nothing.
    package var spans: SpanFile?
    package var holds = LoopHolds()

    package init() {}

    /// Takes the figures and spans of libraries too. It may be called once in a process.
    package func bootstrap() {
        MetricsSystem.bootstrap(metrics)
        if let spans { InstrumentationSystem.bootstrap(spans) }
    }
}
