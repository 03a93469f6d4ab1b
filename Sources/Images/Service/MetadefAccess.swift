import Access
import CloudCore
import Resources
import SQL

/// Who may do what with a namespace and with what is in it. What a caller must not see is not there for them.
struct MetadefAccess: Sendable {
    let context: ServiceContext
    private let namespaces = MetadefNamespaceStore()

    init(context: ServiceContext) { self.context = context }

    /// Whose namespaces a list has: nil for an administrator, who sees all.
    func viewer(_ caller: Principal) -> MetadefNamespaceStore.Viewer? {
        context.policy.allows(.contextIsAdmin, caller) ? nil : .init(projectID: caller.projectID?.text)
    }

    func allows(_ action: Action, _ caller: Principal, in namespace: MetadefNamespace) -> Bool {
        context.policy.allows(action, caller, Self.target(namespace))
    }

    /// For what is about no namespace: the caller's own project is what the rules look at.
    ///
    /// - Throws: `CloudError.forbidden`.
    func require(_ action: Action, _ caller: Principal) throws {
        var target = PolicyTarget()
        if let project = caller.projectID { target.set("project_id", to: project.text) }
        try context.policy.require(action, caller, target)
    }

    /// The namespace of that name, if the caller may do all of these in it.
    ///
    /// - Throws: `CloudError.notFound` also when the caller may not know of it; `.forbidden` when only the action is not theirs.
    func namespace(_ name: String, for actions: Action..., by caller: Principal, in tx: Transaction) throws -> MetadefNamespace {
        guard let namespace = try namespaces.find(name, in: tx), isVisible(namespace, to: caller) else {
            throw CloudError.noMetadefNamespace(name)
        }
        for action in actions where !allows(action, caller, in: namespace) {
            guard action != .getMetadefNamespace, allows(.getMetadefNamespace, caller, in: namespace) else {
                throw CloudError.noMetadefNamespace(name)
            }
            try context.policy.require(action, caller, Self.target(namespace))
        }
        return namespace
    }

    private func isVisible(_ namespace: MetadefNamespace, to caller: Principal) -> Bool {
        guard namespace.visibility != MetadefNamespace.public, let viewer = viewer(caller) else { return true }
        return viewer.projectID == namespace.owner
    }

    private static func target(_ namespace: MetadefNamespace) -> PolicyTarget {
        ["project_id": namespace.owner, "visibility": namespace.visibility]
    }
}

extension CloudError {
    static func noMetadefNamespace(_ name: String) -> CloudError { .notFound("metadata definition namespace", name) }

    static func metadefNamespaceExists(_ name: String) -> CloudError {
        .conflict("There is a metadata definition namespace named \(name) already.")
    }

    static func metadefPartExists(_ noun: String, _ name: String, in namespace: String) -> CloudError {
        .conflict("The metadata definition namespace \(namespace) has a \(noun) named \(name) already.")
    }

    static func isProtected(_ namespace: MetadefNamespace) -> CloudError {
        .forbidden("The metadata definition namespace \(namespace.name) is protected: nothing of it can be deleted.")
    }
}
