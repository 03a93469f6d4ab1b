import CloudCore
import SQL

/// The extra specs of types, the projects that may use private types, and the projects' default types.
struct TypeSpecService: Sendable {
    let context: BlockStorageContext
    private let types = VolumeTypeStore()
    private let rules = TypeRules()

    // MARK: Extra specs

    func specs(of id: ID<VolumeType>, by caller: Caller) async throws -> VolumeType {
        try await context.read { tx in try rules.require(id, by: caller, in: tx) }
    }

    func setSpecs(_ given: JSONObject, of id: ID<VolumeType>, by caller: Caller) async throws {
        try await change(id, by: caller) { type in
            let merged = VolumeMetadata.merged(type.extraSpecs, given)
            if merged["cacheable"]?.string == VolumeType.yes, merged["multiattach"]?.string == VolumeType.yes {
                throw CloudError.badRequest("cacheable cannot be set with multiattach.")
            }
            type.extraSpecs = merged
        }
    }

    func removeSpec(_ key: String, of id: ID<VolumeType>, by caller: Caller) async throws {
        try await change(id, by: caller) { type in
            guard type.extraSpecs[key] != nil else { throw Self.missing(key, id) }
            type.extraSpecs[key] = nil
        }
    }

    private func change(
        _ id: ID<VolumeType>, by caller: Caller, _ body: @escaping @Sendable (inout VolumeType) throws -> Void
    ) async throws {
        try await context.write { tx in
            let old = try rules.require(id, by: caller, in: tx)
            if try VolumeStore().uses(id, in: tx) { throw CloudError.badRequest("Volume Type is currently in use.") }
            var new = old
            try body(&new)
            new.updatedAt = context.world.now
            try types.update(old, to: new, in: tx)
        }
    }

    static func missing(_ key: String, _ id: ID<VolumeType>) -> CloudError {
        .notFound("Volume Type \(id) has no extra specs with key \(key).")
    }

    // MARK: Access

    func projects(of id: ID<VolumeType>, by caller: Caller) async throws -> [String] {
        try await context.read { tx in
            let type = try rules.require(id, by: caller, in: tx)
            guard !type.isPublic else {
                throw CloudError.notFound("Access list not available for public volume types.")
            }
            return try types.projects(of: id, in: tx)
        }
    }

    func addAccess(_ project: String, to id: ID<VolumeType>, by caller: Caller) async throws {
        try await context.write { tx in
            let type = try rules.require(id, by: caller, in: tx)
            guard !type.isPublic else {
                throw VolumeRefusal.type("Type access modification is not applicable to public volume type.")
            }
            if try types.hasAccess(project, to: id, in: tx) {
                throw CloudError.conflict("Volume type access for \(id) / \(project) combination already exists.")
            }
            try types.addAccess(project, to: id, in: tx)
        }
    }

    func removeAccess(_ project: String, to id: ID<VolumeType>, by caller: Caller) async throws {
        try await context.write { tx in
            let type = try rules.require(id, by: caller, in: tx)
            guard !type.isPublic else {
                throw VolumeRefusal.type("Type access modification is not applicable to public volume type.")
            }
            guard try types.removeAccess(project, to: id, in: tx) else {
                throw CloudError.notFound("Volume type access not found for \(id) / \(project) combination.")
            }
        }
    }

    // MARK: Defaults

    private func requireProject(_ project: String) async throws {
        guard try await context.needs.identity.hasProject(ID(project)) else {
            throw CloudError.notFound("Project with id \(project) not found.")
        }
    }

    func setDefault(_ text: String, of project: String, by caller: Caller) async throws -> ID<VolumeType> {
        try await requireProject(project)
        return try await context.write { tx in
            let type: VolumeType
            do {
                type = try rules.require(text, by: caller, in: tx)
            } catch let error as CloudError where error.kind == .notFound {
                throw CloudError.badRequest(error.message)
            }
            try types.setDefault(type.id, of: project, in: tx)
            return type.id
        }
    }

    func getDefault(of project: String) async throws -> ID<VolumeType> {
        try await requireProject(project)
        return try await context.read { tx in
            guard let id = try types.defaultType(of: project, in: tx) else {
                throw CloudError.notFound("Default type for project \(project) not found.")
            }
            return id
        }
    }

    func defaults() async throws -> [(project: String, type: ID<VolumeType>)] {
        try await context.read { tx in try types.defaults(most: Limits.list.page.most, in: tx) }
    }

    /// Removes a default type, also of a project that no longer exists.
    func removeDefault(of project: String) async throws {
        try await context.write { tx in try types.removeDefault(of: project, in: tx) }
    }
}
