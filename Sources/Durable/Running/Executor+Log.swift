import CloudCore
import Logging

/// The metadata keys of the engine's log lines.
enum LogKey {
    static let workflowID = "workflow_id"
    static let workflow = "workflow"
    static let resource = "resource"
    static let step = "step"
    static let direction = "direction"
    static let attempt = "attempt"
    static let requestID = "request_id"
    static let reconciler = "reconciler"
}

extension Executor {
    func stepLog(_ row: WorkflowRecord) -> Logger {
        var log = log
        log[metadataKey: LogKey.workflowID] = "\(row.id)"
        log[metadataKey: LogKey.workflow] = "\(row.kind)"
        log[metadataKey: LogKey.resource] = "\(row.resource)"
        log[metadataKey: LogKey.step] = "\(row.step)"
        log[metadataKey: LogKey.direction] = "\(row.direction.rawValue)"
        log[metadataKey: LogKey.attempt] = "\(row.attempt)"
        if let requestID = row.requestID { log[metadataKey: LogKey.requestID] = "\(requestID)" }
        return log
    }

    func logEnd(_ row: WorkflowRecord) {
        switch row.status {
        case .succeeded: stepLog(row).info("workflow done")
        case .unwound: stepLog(row).info("workflow undone: \(row.failure?.text ?? "no reason")")
        case .stuck, .blocked: stepLog(row).error("workflow \(row.status.rawValue): \(row.reason ?? "no reason")")
        case .abandoned: stepLog(row).notice("workflow abandoned: \(row.reason ?? "no reason")")
        case .queued, .ready, .running, .waiting: stepLog(row).debug("workflow \(row.status.rawValue)")
        }
    }

    func logLost(_ row: WorkflowRecord) { stepLog(row).warning("the workflow has another owner now; this one stops") }

    /// Logs the failure of a step: an internal error as an error, any other failure, such as a mistake of a user, as
    /// information.
    func logFailure(_ row: WorkflowRecord, _ error: any Error) {
        let verdict = Verdict(error, step: row.step)
        stepLog(row).log(
            level: verdict.failure.kind == .internalError ? .error : .info, "step failed: \(verdict.failure.text)")
    }
}
