package import Access

/// The rules in the operator's policy file. Each rule applies to every service that has a rule with its name.
package struct PolicyOverrides: Sendable {
    private let rules: [String: String]

    /// - Parameters:
    ///   - rules: the rules, by name.
    ///   - assemblies: all services of the cloud.
    ///   - others: the rules that belong to no service.
    /// - Throws: `PolicyError.unknownName` for the first name, in alphabetical order, that is the name of no rule.
    package init(
        _ rules: [String: String], for assemblies: [any ServiceAssembly.Type], and others: [PolicyDefault] = []
    ) throws(PolicyError) {
        let known = Set((assemblies.flatMap { $0.policyRules } + others).map(\.action.name))
        if let unknown = rules.keys.sorted().first(where: { !known.contains($0) }) { throw .unknownName(unknown) }
        self.rules = rules
    }

    /// The overrides that apply to a service. A name that several services have is overridden in each of them.
    package subscript(assembly: any ServiceAssembly.Type) -> [String: String] { self[assembly.policyRules] }

    /// The overrides that apply to these rules.
    package subscript(defaults: [PolicyDefault]) -> [String: String] {
        let own = Set(defaults.map(\.action.name))
        return rules.filter { own.contains($0.key) }
    }
}
