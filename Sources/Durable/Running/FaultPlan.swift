package import CloudCore

/// What goes wrong, where and when: a value that a test gives to a runner. Nothing else in the product knows of tests.
package struct FaultPlan: Sendable {
    package enum Moment: String, Sendable, CaseIterable {
        /// Before anything of the step is recorded.
        case beforeStart
        /// A remote step's beginning is recorded, its body has not run. For a wait: it has begun to wait.
        case afterStart
        /// In place of the body.
        case body
        /// The body has run, its outcome is not recorded. For a local step: before the commit.
        case afterBody
        /// The outcome is recorded.
        case afterOutcome
        /// The commit of a remote step's beginning.
        case startRecord
        /// The commit of an outcome.
        case outcomeRecord
        /// A renewal of the lease while a remote step runs.
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
        /// The process ends here, and writes nothing more.
        case crash
        /// At `body`: it throws this and does nothing. At `afterBody`: it has done everything and throws this.
        case fail(CloudError)
        /// At `body`: it runs twice.
        case twice
        /// At a record: the database does not answer. `isCommitted`: it did what it was told nevertheless.
        case databaseAway(isCommitted: Bool)
        /// Something happens meanwhile: another owner, a cancel.
        case meanwhile(@Sendable () async throws -> Void)

        /// For places that cannot wait.
        func raise() throws {
            switch self {
            case .crash: throw SimulatedCrash()
            case .fail(let error): throw error
            case .twice, .databaseAway, .meanwhile: break
            }
        }
    }

    private let decide: @Sendable (Place) -> Fault?

    package init(_ decide: @escaping @Sendable (Place) -> Fault?) { self.decide = decide }

    package static let none = FaultPlan { _ in nil }

    func fault(at moment: Moment, of row: WorkflowRecord) -> Fault? { decide(Place(row.step, row.direction, moment)) }

    /// Lets happen what is planned for a moment, where that is an error or a crash.
    func strike(_ moment: Moment, _ row: WorkflowRecord) async throws {
        let fault = fault(at: moment, of: row)
        if case .meanwhile(let happen)? = fault { try await happen() } else { try fault?.raise() }
    }
}

/// The end of a process, as tests have it.
package struct SimulatedCrash: Error {}
