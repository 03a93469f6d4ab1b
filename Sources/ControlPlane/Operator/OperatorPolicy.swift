import Access

/// The policy rules of the operator's API. By default, only administrators may use it; the policy file can change this.
enum OperatorPolicy {
    static let defaults: [PolicyDefault] =
        [PolicyDefault("admin_required", "role:admin or is_admin:1", "May use the operator's tools")]
        + [
            rule(.listWorkflows, "List workflows"), rule(.showWorkflow, "Show one workflow with its history"),
            rule(.retryWorkflow, "Try again what is stuck"), rule(.abandonWorkflow, "End a workflow where it is"),
            rule(.listKeys, "List the keys that seal tokens and secrets"), rule(.rotateKeys, "Make a new key seal tokens"),
        ]

    private static func rule(_ action: Action, _ summary: String) -> PolicyDefault {
        PolicyDefault(action, "rule:admin_required", summary, scopes: [.system, .project])
    }
}

extension Action {
    static let listWorkflows: Action = "novella:list_workflows"
    static let showWorkflow: Action = "novella:show_workflow"
    static let retryWorkflow: Action = "novella:retry_workflow"
    static let abandonWorkflow: Action = "novella:abandon_workflow"
    static let listKeys: Action = "novella:list_keys"
    static let rotateKeys: Action = "novella:rotate_keys"
}
