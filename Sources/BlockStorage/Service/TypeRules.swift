import CloudCore
import SQL

/// The rules for finding a volume's type: who may use it, and which one is taken if none was named.
struct TypeRules: Sendable {
    private let types = VolumeTypeStore()

    /// Returns the type with an id or a name, if the caller may use it.
    ///
    /// - Throws: `notFound` if there is none, or if it is private and the caller has no access.
    func require(_ text: String, by caller: Caller, in tx: Transaction) throws -> VolumeType {
        if UUIDText.normal(text) != nil, let type = try types.find(ID<VolumeType>(text), in: tx),
            try isVisible(type, to: caller, in: tx)
        {
            return type
        }
        guard let type = try types.find(name: text, in: tx), try isVisible(type, to: caller, in: tx) else {
            throw UUIDText.normal(text) == nil
                ? CloudError.notFound("Volume type with name \(text) could not be found.") : VolumeType.missing(text)
        }
        return type
    }

    /// Returns the type with an id, if the caller may use it.
    func require(_ id: ID<VolumeType>, by caller: Caller, in tx: Transaction) throws -> VolumeType {
        guard let type = try types.find(id, in: tx), try isVisible(type, to: caller, in: tx) else {
            throw VolumeType.missing(id)
        }
        return type
    }

    private func isVisible(_ type: VolumeType, to caller: Caller, in tx: Transaction) throws -> Bool {
        if type.isPublic || caller.isAdministrator { return true }
        return try types.hasAccess(caller.projectID, to: type.id, in: tx)
    }

    /// Returns the type that a project's volumes get if nothing else is said: the project's own, else the usual one.
    ///
    /// - Throws: an internal error in the reference's words if an operator has removed the usual type.
    func usual(for project: String, in tx: Transaction) throws -> VolumeType {
        if let id = try types.defaultType(of: project, in: tx), let type = try types.find(id, in: tx) { return type }
        guard let type = try types.find(name: VolumeType.usual, in: tx) else {
            var error = CloudError.internalError("there is no volume type '\(VolumeType.usual)'")
            error.message =
                "The request cannot be fulfilled as the default volume type \(VolumeType.usual) cannot be found."
            throw error
        }
        return type
    }
}
