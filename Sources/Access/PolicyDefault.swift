/// What a token can be scoped to, as the rules of actions tell it apart.
package enum PolicyScope: String, Sendable, Hashable, CaseIterable {
    case system, domain, project
}

/// The rule that an action, or a name that other rules refer to, has unless the operator's policy file has another.
package struct PolicyDefault: Sendable {
    package let action: Action
    package let check: String
    /// For the operator: what the rule guards.
    package let summary: String
    /// The scopes a token may have to act at all, whatever its roles are; empty when every token may try. A policy file
    /// cannot change it: it says what the action's code is made for. A token without any scope counts as a project's.
    package let scopes: Set<PolicyScope>

    package init(_ action: Action, _ check: String, _ summary: String = "", scopes: Set<PolicyScope> = []) {
        self.action = action
        self.check = check
        self.summary = summary
        self.scopes = scopes
    }
}
