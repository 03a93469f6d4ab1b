import CoreMetrics
import Telemetry
import TestSupport
import Testing

@Suite("Figures")
struct PrometheusMetricsTests {
    @Test("Counters, gauges and histograms are Prometheus' text")
    func text() async {
        let metrics = PrometheusMetrics(bounds: [0.5, 2])
        metrics.describe("answers", "Answers of all kinds.")
        let counter = Counter(label: "answers", dimensions: [("kind", "good")], factory: metrics)
        counter.increment()
        counter.increment(by: 2)
        Counter(label: "answers", dimensions: [("kind", "bad")], factory: metrics).increment()
        Meter(label: "depth", factory: metrics).set(2.5)
        Gauge(label: "height", factory: metrics).record(3)
        let timer = Timer(label: "time", dimensions: [("a", "b")], factory: metrics)
        for milliseconds in [100, 500, 1000, 9000] { timer.recordMilliseconds(milliseconds) }
        Recorder(label: "size", factory: metrics).record(1)
        metrics.gauge("asked", help: "Of a test.") { 4 }
        #expect(
            await metrics.text() == """
                # HELP answers Answers of all kinds.
                # TYPE answers counter
                answers{kind="bad"} 1
                answers{kind="good"} 3
                # HELP asked Of a test.
                # TYPE asked gauge
                asked 4.0
                # TYPE depth gauge
                depth 2.5
                # TYPE height gauge
                height 3
                # TYPE size histogram
                size_bucket{le="0.5"} 0
                size_bucket{le="2.0"} 1
                size_bucket{le="+Inf"} 1
                size_sum 1.0
                size_count 1
                # TYPE time histogram
                time_bucket{a="b",le="0.5"} 2
                time_bucket{a="b",le="2.0"} 3
                time_bucket{a="b",le="+Inf"} 4
                time_sum{a="b"} 10.6
                time_count{a="b"} 4

                """)
    }

    @Test("The same name and labels are the same figure, and a destroyed figure is gone")
    func identity() async {
        let metrics = PrometheusMetrics()
        Counter(label: "a", dimensions: [("x", "1")], factory: metrics).increment()
        let again = Counter(label: "a", dimensions: [("x", "1")], factory: metrics)
        again.increment()
        #expect(await metrics.text() == "# TYPE a counter\na{x=\"1\"} 2\n")
        again.destroy()
        #expect(await metrics.text() == "")
    }

    @Test("A name has one type; a figure of another type counts for nothing")
    func types() async {
        let metrics = PrometheusMetrics()
        Counter(label: "a", factory: metrics).increment()
        Meter(label: "a", factory: metrics).set(9)
        Timer(label: "a", dimensions: [("x", "1")], factory: metrics).recordSeconds(1)
        #expect(await metrics.text() == "# TYPE a counter\na 1\n")
    }

    @Test("Names and labels of libraries become what Prometheus reads")
    func names() async {
        let metrics = PrometheusMetrics()
        Counter(label: "http.client-calls", dimensions: [("the.path", "a\"b\\c\nd")], factory: metrics).increment()
        let line = #"http_client_calls{the_path="a\"b\\c\nd"} 1"#
        #expect(await metrics.text() == "# TYPE http_client_calls counter\n\(line)\n")
    }

    @Test("Counts from many threads are all there")
    func threads() async {
        let metrics = PrometheusMetrics()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let counter = Counter(label: "a", factory: metrics)
                    let timer = Timer(label: "b", factory: metrics)
                    for _ in 0..<1000 {
                        counter.increment()
                        timer.recordMilliseconds(1)
                    }
                }
            }
        }
        let text = await metrics.text()
        #expect(text.contains("\na 8000\n") && text.contains("\nb_count 8000\n"))
    }
}
