package import CloudCore

/// The faults that a test plans for a runner: which fault, where and when. Nothing else in the product knows of tests.
package struct FaultPlan: Sendable {
    package enum Moment: String, Sendable, CaseIterable {
        /// Before anything of the step is recorded.
        case beforeStart
        /// After the start of a remote step is recorded, before its body runs. For a wait: after it has begun to wait.
        case afterStart
        /// In place of the body.
        case body
        /// After the body has run, before its outcome is recorded. For a local step: before the commit.
        case afterBody
        /// After the outcome is recorded.
        case afterOutcome
        /// At the commit of a remote step's start.
        case startRecord
        /// At the commit of an outcome.
        case outcomeRecord
        /// At a renewal of the lease while a remote step runs.
        case renewal
    }

    package struct Place: Hashable, Sendable {
        package let step: String
        package let direction: WorkflowRecord.Direction
        package let moment: Moment

        package init(_ step: String, _ direction: WorkflowRecord.Direction, _ moment: Moment) {
            self.step = step
            self.direction = direction
            self.moment = moment
        }
    }

    package enum Fault: Sendable {
        /// The process ends here and writes nothing more.
        case crash
        /// At `body`: the body throws the error and does nothing. At `afterBody`: the body has done everything, and the
        /// error is thrown then.
        case fail(CloudError)
        /// At `body`: the body runs twice.
        case twice
        /// At a record: the database does not answer. With `isCommitted` it has nevertheless committed.
        case databaseAway(isCommitted: Bool)
        /// Something else happens in the meantime, such as a change of owner or a cancel.
        case meanwhile(@Sendable () async throws -> Void)

        /// Throws the error or the crash, for places that cannot wait.
        func raise() throws {
            switch self {
            case .crash: throw SimulatedCrash()
            case .fail(let error): throw error
            case .twice, .databaseAway, .meanwhile: break
            }
        }
    }

    private let decide: @Sendable (Place) -> Fault?
    /// Whether one transaction may record several steps, as in the product. Without it each step has records of its
    /// own, and every moment of every step is reached.
    let allowsChains: Bool

    package init(allowsChains: Bool = false, _ decide: @escaping @Sendable (Place) -> Fault?) {
        (self.allowsChains, self.decide) = (allowsChains, decide)
    }

    package static let none = FaultPlan(allowsChains: true) { _ in nil }

    func fault(at moment: Moment, of row: WorkflowRecord) -> Fault? { decide(Place(row.step, row.direction, moment)) }

    /// Carries out the fault that is planned for a moment.
    func strike(_ moment: Moment, _ row: WorkflowRecord) async throws {
        let fault = fault(at: moment, of: row)
        if case .meanwhile(let happen)? = fault { try await happen() } else { try fault?.raise() }
    }
}

/// The simulated end of a process in tests.
package struct SimulatedCrash: Error {}
