package import Access

/// The rules of the operator's policy file, each for the services that have a rule of its name.
package struct PolicyOverrides: Sendable {
    private let rules: [String: String]

    /// - Parameters:
    ///   - rules: by name.
    ///   - assemblies: every service of the cloud.
    ///   - others: rules that are no service's.
    /// - Throws: `PolicyError.unknownName` for the first name, in alphabetical order, that no service has a rule of.
    package init(
        _ rules: [String: String], for assemblies: [any ServiceAssembly.Type], and others: [PolicyDefault] = []
    ) throws(PolicyError) {
        let known = Set((assemblies.flatMap { $0.policyRules } + others).map(\.action.name))
        if let unknown = rules.keys.sorted().first(where: { !known.contains($0) }) { throw .unknownName(unknown) }
        self.rules = rules
    }

    /// The rules that name one of a service's. A name that several services have a rule of is replaced in each.
    package subscript(assembly: any ServiceAssembly.Type) -> [String: String] { self[assembly.policyRules] }

    /// The rules that name one of these.
    package subscript(defaults: [PolicyDefault]) -> [String: String] {
        let own = Set(defaults.map(\.action.name))
        return rules.filter { own.contains($0.key) }
    }
}
