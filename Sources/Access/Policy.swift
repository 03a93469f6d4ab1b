package import CloudCore

/// The rules of all actions, resolved. The policy is built once, at the start.
package struct Policy: Sendable {
    private struct Entry {
        let rule: PolicyRule
        let scopes: Set<PolicyScope>
    }

    private let entries: [Action: Entry]

    /// Builds the policy from the defaults and the policy file.
    ///
    /// - Parameter overrides: the rules of the policy file, by the name of an action or of a rule that others refer to.
    ///   A default that is overridden is not even parsed.
    /// - Throws: `PolicyError` for the first wrong name in alphabetical order.
    package init(defaults: [PolicyDefault], overrides: [String: String] = [:]) throws(PolicyError) {
        var rules: [String: PolicyRule] = [:]
        for fallback in defaults.sorted(by: { $0.action < $1.action }) {
            let name = fallback.action.name
            guard rules[name] == nil else { throw .duplicateName(name) }
            rules[name] = try Self.parse(overrides[name] ?? fallback.check, name: name)
        }
        for name in overrides.keys.sorted() where rules[name] == nil { throw .unknownName(name) }

        var resolver = RuleResolver(rules: rules)
        var entries: [Action: Entry] = [:]
        for name in rules.keys.sorted() { _ = try resolver.resolve(name) }
        for fallback in defaults {
            entries[fallback.action] = Entry(rule: try resolver.resolve(fallback.action.name), scopes: fallback.scopes)
        }
        self.entries = entries
    }

    private static func parse(_ text: String, name: String) throws(PolicyError) -> PolicyRule {
        do {
            return try PolicyRule(parsing: text)
        } catch {
            throw .badRule(name: name, text: text, error)
        }
    }

    /// All names that have a rule, in alphabetical order.
    package var actions: [Action] { entries.keys.sorted() }

    /// Returns whether the caller may do the action on the target. An action without a rule is allowed to nobody.
    package func allows(_ action: Action, _ principal: Principal, _ target: PolicyTarget = [:]) -> Bool {
        refusal(of: action, principal, target) == nil
    }

    /// Checks that the caller may do the action on the target.
    ///
    /// - Throws: a `CloudError` of kind `forbidden` that names the action. Its detail, for the operator alone, says why
    ///   it was refused.
    package func require(_ action: Action, _ principal: Principal, _ target: PolicyTarget = [:]) throws(CloudError) {
        guard let refusal = refusal(of: action, principal, target) else { return }
        throw CloudError(
            .forbidden, "You are not authorized to perform the requested action: \(action.name).", detail: refusal.rawValue)
    }

    private enum Refusal: String {
        case noRule = "there is no such rule"
        case scope = "the token's scope is not one that this action takes"
        case rule = "the rule does not hold"
    }

    private func refusal(of action: Action, _ principal: Principal, _ target: PolicyTarget) -> Refusal? {
        guard let entry = entries[action] else { return .noRule }
        guard entry.scopes.isEmpty || entry.scopes.contains(principal.scope.policyScope) else { return .scope }
        return entry.rule.holds(for: principal, on: target) ? nil : .rule
    }
}

extension Principal.Scope {
    /// The scope for the policy. A token without a scope counts as project-scoped, as in oslo.policy. The rule decides
    /// whether that is enough; the rules that let users see themselves allow it.
    fileprivate var policyScope: PolicyScope {
        switch self {
        case .system: .system
        case .domain: .domain
        case .project, .unscoped: .project
        }
    }
}

/// A resolver that puts each rule in place of its references, so that a check never looks up another rule.
private struct RuleResolver {
    let rules: [String: PolicyRule]
    private var resolved: [String: PolicyRule] = [:]
    /// The names from the first rule to the present one. If a name comes again, the rules form a cycle.
    private var path: [String] = []

    init(rules: [String: PolicyRule]) { self.rules = rules }

    mutating func resolve(_ name: String) throws(PolicyError) -> PolicyRule {
        if let rule = resolved[name] { return rule }
        if let start = path.firstIndex(of: name) { throw .cycle(path[start...] + [name]) }
        guard let rule = rules[name] else { throw .unknownReference(to: name, in: path.last ?? name) }
        path.append(name)
        let result = try replacingReferences(in: rule)
        path.removeLast()
        resolved[name] = result
        return result
    }

    private mutating func replacingReferences(in rule: PolicyRule) throws(PolicyError) -> PolicyRule {
        switch rule {
        case .reference(let name): return try resolve(name)
        case .not(let inner): return .not(try replacingReferences(in: inner))
        case .all(let parts): return .all(try replacingReferences(in: parts))
        case .any(let parts): return .any(try replacingReferences(in: parts))
        case .always, .never, .role, .credential, .text: return rule
        }
    }

    private mutating func replacingReferences(in parts: [PolicyRule]) throws(PolicyError) -> [PolicyRule] {
        var result: [PolicyRule] = []
        for part in parts { result.append(try replacingReferences(in: part)) }
        return result
    }
}
