import CloudCore
@testable import Durable
import TestSupport
import Testing

/// Tests of the planner with a workflow that has local, remote and wait steps, both before and after the point of no
/// return.
@Suite struct PlannerTests {
    private enum Everything: Workflow {
        struct Value: WorkflowState {}
        static let kind: WorkflowKind = "test.everything"
        static var steps: Steps<Self> {
            Local("rows", shows: "one") { (_: inout Value, _: Run<Everything>, _) in
            } undo: { (_: Value, _: Run<Everything>, _) in
            }
            Remote("host", retry: .transient(3)) { (_: inout Value, _: Run<Everything>) in
            } undo: { (_: Value, _: Run<Everything>) in
            }
            Wait("answer", shows: "three", signal: "answer", timeout: .seconds(60))
            Remote("look", retry: .never) { (_: inout Value, _: Run<Everything>) in }
            PointOfNoReturn()
            Remote("tell") { (_: inout Value, _: Run<Everything>) in }
            Wait("heard", signal: "heard", timeout: .seconds(60))
            Local("end") { (_: inout Value, _: Run<Everything>, _) in }
        }

        struct NoNeeds: Sendable {}
        typealias Input = Value
        typealias State = Value
        typealias Needs = NoNeeds
    }

    private let planner = Planner()
    private let outline = Outline(Everything.self)
    private let now = Timestamp(seconds: 1000)

    private func row(
        _ step: String, _ direction: WorkflowRecord.Direction = .forward, attempt: Int = 0, waitUntil: Timestamp? = nil
    ) -> WorkflowRecord {
        WorkflowRecord(
            id: WorkflowID("w"), kind: Everything.kind, version: 1, fingerprint: outline.fingerprint,
            resource: ResourceKey("test/1"), input: "{}", state: "{}", status: .running, direction: direction, step: step,
            attempt: attempt, interrupted: 1, progress: 0, epoch: 1, sequence: 0, owner: "me", leaseUntil: now,
            runAfter: now, waitUntil: waitUntil, cancelRequested: false, createdAt: now, updatedAt: now)
    }

    private func failed(_ row: WorkflowRecord, isTransient: Bool, cancelled: Bool = false) -> Transition {
        let failure = cancelled ? Failure.cancelled(at: row.step) : Failure(step: row.step, error: .badRequest("No."))
        return planner.failed(
            row, outline, outline.index(of: row.step) ?? 0, failure, isTransient: isTransient, notes: [], now: now)
    }

    private func succeeded(_ row: WorkflowRecord) -> Transition {
        planner.succeeded(row, outline, outline.index(of: row.step) ?? 0, state: "{\"a\":1}", notes: ["n"], now: now)
    }

    @Test("A valid workflow has no problems, and its fingerprint names every step and the point of no return")
    func fingerprint() {
        #expect(outline.problems.isEmpty)
        #expect(
            outline.fingerprint
                == "local:rows remote:host wait:answer remote:look | remote:tell wait:heard local:end")
    }

    @Test("A step shows its own text, or the one of the step before it")
    func shows() {
        let shown = outline.steps.map { outline.shows(during: $0.name)?.text }
        #expect(shown == ["one", "one", "three", "three", "three", "three", "three"])
        #expect(outline.shows(during: "nowhere") == nil)
    }

    @Test("Each kind of step has its action, and only a remote one is recorded as started")
    func actions() {
        #expect(planner.next(row("rows"), outline, now: now) == .local(0))
        guard case .remote(1, let began) = planner.next(row("host"), outline, now: now) else {
            Issue.record("not remote")
            return
        }
        #expect(began.row.attempt == 1)
        #expect(began.events.map(\.kind) == [.started])
        guard case .wait(2, let terms) = planner.next(row("answer"), outline, now: now) else {
            Issue.record("not a wait")
            return
        }
        #expect(terms.signal == "answer")
    }

    @Test("A step that is not in the outline blocks the workflow")
    func unknownStep() {
        guard case .record(let transition) = planner.next(row("gone"), outline, now: now) else {
            Issue.record("it went on")
            return
        }
        #expect(transition.row.status == .blocked)
        #expect(transition.row.reason?.contains("gone") == true)
    }

    @Test("A step that keeps ending its process makes the workflow stuck")
    func interruptions() {
        var row = row("host", attempt: 20)
        row.interrupted = 20
        if case .record = planner.next(row, outline, now: now) { Issue.record("too early") }
        row.interrupted = 21
        guard case .record(let transition) = planner.next(row, outline, now: now) else {
            Issue.record("it went on")
            return
        }
        #expect(transition.row.status == .stuck)
    }

    @Test("A successful step leads to the next one, and the last one ends the workflow in the same record")
    func success() {
        for (index, step) in outline.steps.enumerated() {
            let transition = succeeded(row(step.name, attempt: 2))
            #expect(transition.events.map(\.kind) == [.note, .succeeded])
            #expect(transition.events.allSatisfy { $0.step == step.name && $0.attempt == 2 })
            #expect(transition.row.state == "{\"a\":1}")
            #expect(transition.row.interrupted == 0)
            if index + 1 < outline.steps.count {
                #expect(transition.row.status == .running)
                #expect(transition.row.step == outline.steps[index + 1].name)
                #expect(transition.row.attempt == 0)
                #expect(transition.row.progress == (index + 1) * 100 / outline.steps.count)
            } else {
                #expect(transition.row.status == .succeeded)
                #expect(transition.row.finishedAt == now)
                #expect(transition.row.progress == 100)
            }
        }
    }

    /// For each step before the point of no return: the number of attempts after which it fails for good, and the step
    /// at which the undo begins.
    @Test(
        "A permanent error undoes the failing step if it may have had effects, and then the steps before it",
        arguments: [("rows", 0, nil), ("host", 1, "host"), ("answer", 0, "host"), ("look", 1, "host")] as [(String, Int, String?)])
    func permanentError(_ step: String, _ attempt: Int, _ first: String?) {
        let transition = failed(row(step, attempt: attempt), isTransient: false)
        #expect(transition.row.direction == .undo)
        #expect(transition.row.failure?.step == step)
        #expect(transition.events.map(\.kind) == [.failed])
        if let first {
            #expect(transition.row.status == .running)
            #expect(transition.row.step == first)
            #expect(transition.row.attempt == 0)
        } else {
            #expect(transition.row.status == .unwound)
            #expect(transition.row.finishedAt == now)
        }
    }

    @Test("A transient error is retried with doubling delays until its budget is used up")
    func budget() {
        let first = failed(row("host", attempt: 1), isTransient: true)
        #expect(first.row.status == .ready)
        #expect(first.row.runAfter == now + .seconds(1))
        #expect(first.events.map(\.kind) == [.retried])
        #expect(failed(row("host", attempt: 2), isTransient: true).row.runAfter == now + .seconds(2))
        #expect(failed(row("host", attempt: 3), isTransient: true).row.direction == .undo)
        #expect(failed(row("look", attempt: 1), isTransient: true).row.direction == .undo)
        // The failures of a local step count its attempts.
        #expect(failed(row("rows"), isTransient: true).row.attempt == 1)
        #expect(failed(row("rows", attempt: 4), isTransient: true).row.status == .unwound)
    }

    @Test("Past the point of no return every failure is retried forever", arguments: ["tell", "heard", "end"], [true, false])
    func pastReturn(_ step: String, _ isTransient: Bool) {
        for attempt in [1, 5, 100, 100_000] {
            let transition = failed(row(step, attempt: attempt), isTransient: isTransient)
            #expect(transition.row.status == .ready)
            #expect(transition.row.direction == .forward)
            #expect(transition.row.runAfter <= now + .seconds(300))
        }
        var cancelled = row(step)
        cancelled.cancelRequested = true
        if case .record = planner.next(cancelled, outline, now: now) { Issue.record("a cancel was heard") }
    }

    @Test(
        "A cancel takes effect before each step up to the point of no return",
        arguments: [("rows", 0, nil), ("host", 0, "rows"), ("host", 1, "host"), ("answer", 0, "host"), ("look", 0, "host")]
            as [(String, Int, String?)])
    func cancel(_ step: String, _ attempt: Int, _ first: String?) {
        var row = row(step, attempt: attempt)
        row.cancelRequested = true
        guard case .record(let transition) = planner.next(row, outline, now: now) else {
            Issue.record("it was not heard")
            return
        }
        #expect(transition.row.failure?.isCancellation == true)
        #expect(transition.row.direction == .undo)
        if let first { #expect(transition.row.step == first) } else { #expect(transition.row.status == .unwound) }
        // The undo does not react to the cancel again.
        var undoing = self.row("host", .undo)
        undoing.cancelRequested = true
        if case .record = planner.next(undoing, outline, now: now) { Issue.record("it was heard twice") }
    }

    @Test("A step that stops because of a cancel is undone without another try")
    func cancelInside() {
        let transition = failed(row("host", attempt: 1), isTransient: true, cancelled: true)
        #expect(transition.row.direction == .undo)
        #expect(transition.row.step == "host")
    }

    @Test("The undo visits the steps that have one in reverse order, and the last one ends the workflow")
    func undo() {
        let host = succeeded(row("host", .undo, attempt: 1))
        #expect(host.row.step == "rows")
        #expect(host.row.status == .running)
        let rows = succeeded(row("rows", .undo))
        #expect(rows.row.status == .unwound)
        #expect(rows.row.finishedAt == now)
    }

    @Test("An undo is tried twelve times, and then the workflow is stuck with a reason")
    func stuck() {
        #expect(failed(row("host", .undo, attempt: 1), isTransient: false).row.status == .ready)
        #expect(failed(row("host", .undo, attempt: 11), isTransient: false).row.status == .ready)
        let transition = failed(row("host", .undo, attempt: 12), isTransient: false)
        #expect(transition.row.status == .stuck)
        #expect(transition.row.finishedAt == nil)
        #expect(transition.row.reason?.contains("No.") == true)
        #expect(transition.events.map(\.kind) == [.failed, .note])
    }

    @Test("A wait begins once, goes on after a signal that it ignores, and ends at its timeout")
    func waits() {
        func waits(_ step: String, until: Timestamp?, at moment: Timestamp) -> Transition {
            let index = outline.index(of: step) ?? 0
            guard let terms = outline.steps[index].waits else { return Transition(row(step), now: moment) }
            return planner.waits(row(step, waitUntil: until), outline, index, terms, notes: [], now: moment)
        }
        let end = now + .seconds(60)
        let begun = waits("answer", until: nil, at: now)
        #expect(begun.row.status == .waiting)
        #expect(begun.row.waitUntil == end)
        #expect(begun.row.runAfter == end)
        #expect(begun.events.map(\.kind) == [.started])
        let on = waits("answer", until: end, at: now + .seconds(59))
        #expect(on.row.status == .waiting)
        #expect(on.row.waitUntil == end)
        #expect(on.events.isEmpty)
        let over = waits("answer", until: end, at: end)
        #expect(over.row.direction == .undo)
        #expect(over.row.failure?.kind == .timeout)
        let again = waits("heard", until: end, at: end)
        #expect(again.row.status == .waiting)
        #expect(again.row.waitUntil == end + .seconds(60))
    }

    @Test("Only a few of many attempts are recorded in the history")
    func thinHistory() {
        #expect((1...100_000).count(where: Planner.isRecorded) < 30)
        #expect((1...8).allSatisfy(Planner.isRecorded))
    }

    @Test("The delay between attempts doubles up to a limit")
    func delays() {
        let retry = Retry(attempts: 10, first: .seconds(1), longest: .seconds(30))
        #expect([1, 2, 3, 5, 6, 1000].map { retry.delay(after: $0) } == [1, 2, 4, 16, 30, 30].map { .seconds($0) })
    }
}
