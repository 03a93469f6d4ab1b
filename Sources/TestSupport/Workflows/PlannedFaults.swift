import CloudCore
import Durable
import Synchronization

/// Faults that each happen once, or a given number of times.
final class PlannedFaults: Sendable {
    private struct Planned {
        let fault: FaultPlan.Fault
        var times: Int
        var hasHappened = false
    }

    private let faults = Mutex<[FaultPlan.Place: Planned]>([:])

    func add(_ fault: FaultPlan.Fault, at place: FaultPlan.Place, times: Int = 1) {
        faults.withLock { $0[place] = Planned(fault: fault, times: times) }
    }

    func plan(allowsChains: Bool = false) -> FaultPlan {
        FaultPlan(allowsChains: allowsChains) { place in
            self.faults.withLock { faults in
                guard let planned = faults[place], planned.times > 0 else { return nil }
                faults[place]?.times -= 1
                faults[place]?.hasHappened = true
                return planned.fault
            }
        }
    }

    /// The planned faults that did not happen: a trial with such a fault has shown nothing.
    var left: [FaultPlan.Place] { faults.withLock { $0.filter { !$0.value.hasHappened }.map(\.key) } }
}

/// Faults drawn from a seed. Their number is limited, so that the run comes to an end.
final class MixedFaults: Sendable {
    private let random: Mutex<SplitMix64>
    private let left = Mutex(12)
    private let lastAway = Mutex<FaultPlan.Place?>(nil)

    init(seed: UInt64) { random = Mutex(SplitMix64(seed: seed)) }

    func plan(allowsChains: Bool) -> FaultPlan {
        FaultPlan(allowsChains: allowsChains) { [self] place in
            guard draw() % 5 == 0, left.withLock({ $0 > 0 }) else { return nil }
            guard let fault = fault(at: place.moment) else { return nil }
            // The second try of a record follows at once. Before a third one the executor would wait for a clock that
            // stands still.
            if case .databaseAway = fault, wasLastAway(place) { return nil }
            left.withLock { $0 -= 1 }
            return fault
        }
    }

    private func draw() -> UInt64 { random.withLock { $0.next() } }

    private func wasLastAway(_ place: FaultPlan.Place) -> Bool {
        lastAway.withLock { last in
            defer { last = last == place ? nil : place }
            return last == place
        }
    }

    private func fault(at moment: FaultPlan.Moment) -> FaultPlan.Fault? {
        let choice = draw()
        var transient = CloudError(.unavailable, "Drawn from a seed.")
        transient.isTransient = !choice.isMultiple(of: 8)
        switch moment {
        case .beforeStart, .afterStart, .afterOutcome: return .crash
        case .body: return choice.isMultiple(of: 2) ? .twice : .fail(transient)
        case .afterBody: return choice.isMultiple(of: 2) ? .crash : .fail(transient)
        case .startRecord, .outcomeRecord: return .databaseAway(isCommitted: choice.isMultiple(of: 2))
        case .renewal: return nil
        }
    }
}
