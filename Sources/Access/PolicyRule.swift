package import CloudCore

/// One rule in the language of oslo.policy: a condition on the caller and the target.
///
///     role:admin or (role:reader and domain_id:%(target.user.domain_id)s)
///
/// `PolicyRule(parsing:)` parses a rule; `Policy` resolves its references to other rules and evaluates it.
package indirect enum PolicyRule: Sendable, Hashable {
    /// `@`, and the empty rule: always true.
    case always
    /// `!`: never true.
    case never
    /// `role:x`: the caller has that role. A literal name is kept in lower case, because role names are compared
    /// without regard to case.
    case role(Operand)
    /// `rule:x`: the rule of that name holds.
    case reference(String)
    /// `user_id:x`: the caller's attribute equals the operand.
    case credential(PolicyCredential, Operand)
    /// `'member':%(target.role.name)s`: a fixed text equals the operand. Here `None` and `True` are ordinary texts.
    case text(String, Operand)
    case not(PolicyRule)
    case all([PolicyRule])
    case any([PolicyRule])

    /// The right side of a check.
    package enum Operand: Sendable, Hashable {
        case literal(String)
        /// `%(name)s`: an attribute of the target.
        case attribute(String)

        /// Returns the value of the operand; nil if the target has no such attribute.
        func text(in target: PolicyTarget) -> String? {
            switch self {
            case .literal(let text): text
            case .attribute(let name): target.text(of: name)
            }
        }
    }

    /// The spelling of null in comparisons, since the language knows only texts.
    static let null = "None"
}

extension PolicyRule {
    /// Returns whether the rule holds. An unresolved reference does not hold: in doubt the answer is no.
    package func holds(for principal: Principal, on target: PolicyTarget) -> Bool {
        switch self {
        case .always: return true
        case .never, .reference: return false
        case .role(.literal(let name)): return principal.hasRole(lowercased: name)
        case .role(let operand):
            guard let name = operand.text(in: target) else { return false }
            return principal.hasRole(lowercased: name.lowercased())
        case .credential(let credential, let operand):
            guard let wanted = operand.text(in: target) else { return false }
            return credential.equals(wanted, for: principal)
        case .text(let text, let operand): return operand.text(in: target) == text
        case .not(let rule): return !rule.holds(for: principal, on: target)
        case .all(let rules): return rules.allSatisfy { $0.holds(for: principal, on: target) }
        case .any(let rules): return rules.contains { $0.holds(for: principal, on: target) }
        }
    }
}

extension Principal {
    /// Returns whether the caller has a role. Role names are nearly always in lower case already, so only others cost a
    /// copy.
    fileprivate func hasRole(lowercased wanted: String) -> Bool {
        roles.contains { role in
            if role.name == wanted { return true }
            let mayDiffer = role.name.utf8.contains { 0x41...0x5a ~= $0 || $0 >= 0x80 }
            return mayDiffer && role.name.lowercased() == wanted
        }
    }
}
