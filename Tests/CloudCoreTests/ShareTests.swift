import CloudCore
import TestSupport
import Testing

@Suite("Shares of what all use")
struct ShareTests {
    private let a = Share.project("a")
    private let b = Share.project("b")
    private let c = Share.user("c")

    @Test("Shares take turns, and each keeps the order of its own")
    func turns() {
        var queue = FairQueue<Int>()
        for number in 1...4 { queue.push(number, for: a) }
        for number in 11...12 { queue.push(number, for: b) }
        queue.push(21, for: c)
        #expect(queue.count == 7)
        #expect(queue.count(of: a) == 4)
        var order: [Int] = []
        while let next = queue.pop() { order.append(next.element) }
        #expect(order == [1, 11, 21, 2, 12, 3, 4])
        #expect(queue.isEmpty)
    }

    @Test("A share that may not have its turn keeps its place")
    func passedOver() {
        var queue = FairQueue<Int>()
        queue.push(1, for: a)
        queue.push(11, for: b)
        queue.push(2, for: a)
        #expect(queue.pop { $0 != a }?.element == 11)
        #expect(queue.pop { $0 != a } == nil)
        #expect(queue.pop()?.element == 1)
        #expect(queue.pop()?.element == 2)
    }

    @Test("A long queue gives all its elements in order")
    func many() {
        var queue = FairQueue<Int>()
        for number in 0..<5000 { queue.push(number, for: a) }
        for number in 0..<5000 { #expect(queue.pop()?.element == number) }
        #expect(queue.isEmpty)
    }

    @Test("One share leaves threads of a pool to the others, and has an end in the queue")
    func pool() async throws {
        let pool = ClosurePool<Void>(
            name: "test", workers: [(), ()], limits: PoolLimits(waiting: 8, threadsOfShare: 1))
        let (isHeld, begun) = (Box(true), Box(0))
        try await withThrowingTaskGroup(of: Void.self) { group in
            // A test that fails must not hold the thread for ever.
            defer { isHeld.value = false }
            for number in 1...3 {
                group.addTask {
                    try await pool.run(for: a) {
                        begun.update { $0 += 1 }
                        while isHeld.value {}
                    }
                }
                try await eventually("a job runs, and the others wait") {
                    begun.value == 1 && pool.waiting(of: a) == number - 1
                }
            }
            #expect(try await pool.run(for: b) { 5 } == 5)
            #expect(begun.value == 1)
            // A quarter of eight places.
            await #expect(throws: PoolRefusal.shareIsFull) { try await pool.run(for: a) {} }
            #expect(try await pool.run(for: b) { 6 } == 6)
            isHeld.value = false
            try await group.waitForAll()
        }
        #expect(begun.value == 3)
        await pool.close()
        await #expect(throws: PoolRefusal.closed) { try await pool.run(for: b) {} }
    }
}

@Suite("Budgets of requests")
struct BudgetTests {
    @Test("A budget ends for its first reason")
    func first() {
        let budget = Budget(.seconds(3600))
        #expect(budget.end == nil)
        budget.end(as: .clientLeft)
        budget.end(as: .answered)
        #expect(budget.end == .clientLeft)
        #expect(budget.isOver)
        #expect(throws: CloudError.self) { try budget.check() }
    }

    @Test("A budget without time is late, and one that was answered never is")
    func late() {
        #expect(Budget(.zero).end == .late)
        #expect(Budget(nil).end == nil)
        let answered = Budget(.zero)
        answered.end(as: .answered)
        #expect(!answered.isOver)
        let short = Budget(.seconds(3600))
        short.shorten(to: .seconds(7200))
        #expect(!short.isOver)
        short.shorten(to: .zero)
        #expect(short.end == .late)
    }

    @Test("Those who watch a budget hear of its end once")
    func watchers() {
        let budget = Budget(nil)
        let heard = Box<[String]>([])
        let number = budget.whenEnded { heard.update { $0.append("forgotten") } }
        _ = budget.whenEnded { heard.update { $0.append("first") } }
        budget.forget(number)
        budget.end(as: .clientLeft)
        budget.end(as: .clientLeft)
        _ = budget.whenEnded { heard.update { $0.append("after the end") } }
        #expect(heard.value == ["first", "after the end"])
        let answered = Budget(nil)
        _ = answered.whenEnded { heard.update { $0.append("answered") } }
        answered.end(as: .answered)
        _ = answered.whenEnded { heard.update { $0.append("after the answer") } }
        #expect(heard.value == ["first", "after the end"])
    }

    @Test("Work with a limit of time ends with its request")
    func deadline() async throws {
        let budget = Budget(nil)
        let isRunning = Box(false)
        async let refusal: CloudError? = Budget.$current.withValue(budget) {
            do {
                try await Deadline(.seconds(3600), CloudError(.timeout, "late")).run {
                    isRunning.value = true
                    try await Task.sleep(for: .seconds(3600))
                }
                return nil
            } catch {
                return error as? CloudError
            }
        }
        try await eventually("the work runs") { isRunning.value }
        budget.end(as: .clientLeft)
        let message = await refusal?.message
        #expect(message == Budget.cutOff.message)
    }
}
