import CloudCore
import Durable

/// The JSON form of a workflow.
enum WorkflowView {
    /// Writes the members that an entry of a list has.
    static func summary(_ report: WorkflowReport, _ json: inout JSONWriter) {
        json.member("id", report.id)
        json.member("kind", report.kind.name)
        json.member("resource", report.resource.text)
        json.member("project_id", report.projectID)
        json.member("status", report.status.rawValue)
        json.member("stuck", report.isStuck)
        json.member("direction", report.direction.rawValue)
        json.member("step", report.step)
        json.member("attempt", report.attempt)
        json.member("progress", report.progress)
        json.member("waits_for", report.waiting?.text)
        json.member("waits_since", report.waiting?.since.iso8601Microseconds)
        json.member("waits_until", report.waiting?.until?.iso8601Microseconds)
        json.member("reason", report.reason)
        json.key("last_failure")
        failure(report.lastFailure, &json)
        json.member("created_at", report.createdAt.iso8601Microseconds)
        json.member("updated_at", report.updatedAt.iso8601Microseconds)
        json.member("finished_at", report.finishedAt?.iso8601Microseconds)
    }

    /// Writes all members.
    static func whole(_ report: WorkflowReport, _ json: inout JSONWriter) {
        summary(report, &json)
        json.member("version", report.version)
        json.member("request_id", report.requestID)
        json.member("user_id", report.author?.id)
        json.member("user_name", report.author?.name)
        json.member("cancelling", report.isCancelling)
        json.member("abandoned_by", report.abandonedBy)
        json.member("owner", report.owner)
        json.member("lease_until", report.leaseUntil?.iso8601Microseconds)
        json.array("steps", of: report.steps) { json, step in
            json.object { json in
                json.member("name", step.name)
                json.member("nature", step.nature)
                json.member("state", step.state.rawValue)
            }
        }
        json.array("line", of: report.line) { json, other in json.object { summary(other, &$0) } }
        json.array("events", of: report.events) { json, event in json.object { Self.event(event, &$0) } }
    }

    private static func event(_ event: WorkflowEvent, _ json: inout JSONWriter) {
        json.member("at", event.at.iso8601Microseconds)
        json.member("kind", event.kind.rawValue)
        json.member("step", event.step)
        json.member("direction", event.direction.rawValue)
        json.member("attempt", event.attempt)
        json.member("note", event.kind == .note ? event.data : nil)
        json.key("failure")
        failure(event.failure, &json)
    }

    private static func failure(_ failure: Failure?, _ json: inout JSONWriter) {
        guard let failure else { return json.null() }
        json.object { json in
            json.member("step", failure.step)
            json.member("kind", failure.kind.rawValue)
            json.member("message", failure.message)
            json.member("detail", failure.detail)
        }
    }
}
