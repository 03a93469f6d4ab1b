import CloudCore

/// Texts about workflows for people.
enum WorkflowText {
    static func table(_ all: [JSON]) -> String {
        guard !all.isEmpty else { return "There are none." }
        var table = TextTable(header: ["ID", "KIND", "RESOURCE", "STATUS", "STEP", "TRY", "SINCE", "WAITS FOR"])
        table.rows = all.map { workflow in
            [
                text(workflow, "id"), text(workflow, "kind"), text(workflow, "resource"), status(workflow), step(workflow),
                "\(workflow["attempt"]?.integer ?? 0)", Age.text(workflow["waits_since"]?.string ?? workflow["updated_at"]?.string),
                workflow["waits_for"]?.string ?? "-",
            ]
        }
        return table.text
    }

    static func whole(_ workflow: JSON) -> String {
        var lines = ["\(text(workflow, "kind"))  \(text(workflow, "id"))"]
        func add(_ name: String, _ value: String?) {
            guard let value, !value.isEmpty else { return }
            lines.append("  " + name + String(repeating: " ", count: max(16 - name.count, 1)) + value)
        }
        add("resource", text(workflow, "resource"))
        add("status", status(workflow) + (workflow["cancelling"] == true ? ", a cancel was asked for" : ""))
        add("step", step(workflow) + ", attempt \(workflow["attempt"]?.integer ?? 0)")
        add("waits for", waiting(workflow))
        add("reason", workflow["reason"]?.string)
        add("last failure", workflow["last_failure"].flatMap(failure))
        add("asked for by", workflow["user_name"]?.string.map { "\($0) (\(text(workflow, "user_id")))" } ?? "the cloud itself")
        add("project", workflow["project_id"]?.string)
        add("request", workflow["request_id"]?.string)
        add("runner", workflow["owner"]?.string.map { "\($0), lease until \(text(workflow, "lease_until"))" })
        add("started", text(workflow, "created_at") + " (\(Age.text(workflow["created_at"]?.string)) ago)")
        add("ended", workflow["finished_at"]?.string)
        add("abandoned by", workflow["abandoned_by"]?.string)
        lines.append("  steps")
        for step in workflow["steps"]?.array ?? [] {
            let state = text(step, "state")
            lines.append("    " + mark(state) + " " + text(step, "name") + (state == "done" || state == "ahead" ? "" : "  (\(state))"))
        }
        add("behind it", (workflow["line"]?.array ?? []).map { "\(text($0, "kind")) \(text($0, "id"))" }.joined(separator: ", "))
        let events = workflow["events"]?.array ?? []
        if !events.isEmpty { lines.append("  history") }
        lines += events.map(event)
        return lines.joined(separator: "\n")
    }

    private static func text(_ value: JSON, _ key: String) -> String { value[key]?.string ?? "-" }

    private static func status(_ workflow: JSON) -> String {
        let status = text(workflow, "status")
        return workflow["stuck"] == true && status != "stuck" && status != "blocked" ? status + " (stuck)" : status
    }

    private static func step(_ workflow: JSON) -> String {
        (workflow["direction"] == "undo" ? "undo of " : "") + text(workflow, "step")
    }

    private static func waiting(_ workflow: JSON) -> String? {
        workflow["waits_for"]?.string.map { what in
            let until = workflow["waits_until"]?.string.map { ", until \($0)" } ?? ""
            return "\(what), since \(text(workflow, "waits_since"))\(until)"
        }
    }

    private static func failure(_ failure: JSON) -> String? {
        failure["message"]?.string.map { message in
            "at '\(text(failure, "step"))': \(message)" + (failure["detail"]?.string.map { " [\($0)]" } ?? "")
        }
    }

    private static func mark(_ state: String) -> String {
        switch state {
        case "done": "+"
        case "present": ">"
        case "undone": "-"
        default: " "
        }
    }

    private static func event(_ event: JSON) -> String {
        let undo = event["direction"] == "undo" ? "undo of " : ""
        let rest = event["note"]?.string ?? event["failure"].flatMap(failure)
        return "    \(text(event, "at"))  \(undo)\(text(event, "step"))  \(text(event, "kind"))" + (rest.map { ": \($0)" } ?? "")
    }
}
