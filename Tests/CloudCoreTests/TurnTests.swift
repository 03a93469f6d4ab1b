import CloudCore
import TestSupport
import Testing

@Suite("Turns and limits of time")
struct TurnTests {
    @Test("Work of one key takes turns in order; work of others goes on")
    func serialKeys() async throws {
        let keys = SerialKeys<Int>()
        let running = Box(0)
        let most = Box(0)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    await keys.run(1) {
                        running.update { $0 += 1 }
                        most.update { $0 = max($0, running.value) }
                        await Task.yield()
                        running.update { $0 -= 1 }
                    }
                }
            }
        }
        #expect(most.value == 1)
        await keys.run(1) { await keys.run(2) { } }
    }

    @Test("Work within its time gives what it gives")
    func inTime() async throws {
        let late = CloudError(.timeout, "late")
        #expect(try await Deadline(.seconds(3600), late).run { 5 } == 5)
        await #expect(throws: CloudError.self) {
            try await Deadline(.seconds(3600), late).run { throw CloudError.notFound("thing", "a") }
        }
    }

    @Test("Work past its time is cancelled, and has ended when its caller hears of it")
    func late() async throws {
        let hasEnded = Box(false)
        let deadline = Deadline(CloudError(.timeout, "late")) {}
        do {
            try await deadline.run {
                defer { hasEnded.value = true }
                try await Task.sleep(for: .seconds(3600))
            }
            Issue.record("it was not ended")
        } catch let error as CloudError {
            #expect(error.kind == .timeout)
        }
        #expect(hasEnded.value)
    }

    @Test(
        "Text without white space at its ends",
        arguments: [("", ""), (" \n\t ", ""), ("a", "a"), (" a b\r\n", "a b"), ("\u{a0}ä\u{2003}", "ä")])
    func trimmed(_ text: String, _ wanted: String) {
        #expect(text.trimmed == wanted)
        #expect("(\(text))".dropFirst().dropLast().trimmed == wanted)
    }
}
