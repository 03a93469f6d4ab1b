/// The scope of a token, as far as the rules of actions distinguish it.
package enum PolicyScope: String, Sendable, Hashable, CaseIterable {
    case system, domain, project
}

/// The rule of an action, or of a name that other rules refer to, unless the policy file of the operator has another.
package struct PolicyDefault: Sendable {
    package let action: Action
    package let check: String
    /// A description for the operator of what the rule guards.
    package let summary: String
    /// The scopes that a token may have for the action, whatever its roles are; empty if any token may try. A policy
    /// file cannot change them, because the code of the action is made for them. A token without a scope counts as
    /// project-scoped.
    package let scopes: Set<PolicyScope>

    package init(_ action: Action, _ check: String, _ summary: String = "", scopes: Set<PolicyScope> = []) {
        self.action = action
        self.check = check
        self.summary = summary
        self.scopes = scopes
    }
}
