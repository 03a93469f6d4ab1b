package import CloudCore

/// One rule, in the language of oslo.policy: what must be true of the caller and of what is acted upon.
///
///     role:admin or (role:reader and domain_id:%(target.user.domain_id)s)
///
/// `PolicyRule(parsing:)` reads one; `Policy` replaces its references to other rules and asks it.
package indirect enum PolicyRule: Sendable, Hashable {
    /// `@`, and the empty rule.
    case always
    /// `!`
    case never
    /// `role:x`: the caller has that role. A literal name is held in lower case, as roles compare without regard to case.
    case role(Operand)
    /// `rule:x`: what the rule of that name says.
    case reference(String)
    /// `user_id:x`: the caller's credential is that.
    case credential(PolicyCredential, Operand)
    /// `'member':%(target.role.name)s`: a fixed text is that. Here `None` and `True` are texts like any others.
    case text(String, Operand)
    case not(PolicyRule)
    case all([PolicyRule])
    case any([PolicyRule])

    /// The right side of a check.
    package enum Operand: Sendable, Hashable {
        case literal(String)
        /// `%(name)s`: an attribute of the target.
        case attribute(String)

        /// Nil when the target has no such attribute.
        func text(in target: PolicyTarget) -> String? {
            switch self {
            case .literal(let text): text
            case .attribute(let name): target.text(of: name)
            }
        }
    }

    /// How null is spelt in a comparison: the language knows only texts.
    static let null = "None"
}

extension PolicyRule {
    /// Whether the rule holds. A reference that nobody replaced does not: in doubt the answer is no.
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
    /// Names of roles are nearly always in lower case already: only one that is not costs a lower-case copy.
    fileprivate func hasRole(lowercased wanted: String) -> Bool {
        roles.contains { role in
            if role.name == wanted { return true }
            let mayDiffer = role.name.utf8.contains { 0x41...0x5a ~= $0 || $0 >= 0x80 }
            return mayDiffer && role.name.lowercased() == wanted
        }
    }
}
