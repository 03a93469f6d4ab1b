import Access
import CloudCore
import Resources
import SQL

/// The rights to a namespace and its contents. To a caller that may not see a namespace, it does not exist.
struct MetadefAccess: Sendable {
    let context: ServiceContext
    private let namespaces = MetadefNamespaceStore()

    /// Returns the viewer whose namespaces a list shows; nil for an administrator, who sees all.
    func viewer(_ caller: Principal) -> MetadefNamespaceStore.Viewer? {
        context.policy.allows(.contextIsAdmin, caller) ? nil : .init(projectID: caller.projectID?.text)
    }

    func allows(_ action: Action, _ caller: Principal, in namespace: MetadefNamespace) -> Bool {
        context.policy.allows(action, caller, Self.target(namespace))
    }

    /// Checks an action that concerns no namespace. The target is the caller's own project.
    ///
    /// - Throws: `CloudError.forbidden`.
    func require(_ action: Action, _ caller: Principal) throws {
        var target = PolicyTarget()
        if let project = caller.projectID { target.set("project_id", to: project.text) }
        try context.policy.require(action, caller, target)
    }

    /// Returns the namespace of a name if the caller may do all of the actions in it.
    ///
    /// - Throws: `CloudError.notFound`, also if the caller may not see the namespace; `.forbidden` if the caller sees
    ///   it but may not do an action.
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
