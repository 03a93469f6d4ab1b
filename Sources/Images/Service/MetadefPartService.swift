import Access
import CloudCore
import Resources
import SQL

/// The service of one kind of part in namespaces. The kinds differ only in the names of their actions.
struct MetadefPartService<Part: MetadefPart>: Sendable {
    /// The actions of a kind. To delete all parts, the caller also needs the right to delete the namespace, as in
    /// Glance.
    struct Actions: Sendable {
        var list: Action
        /// The right to see each part of a list; without it the list is empty. Nil if the right to list is enough.
        var listed: Action?
        var get: Action
        var add: Action
        var addMany: Action?
        var modify: Action?
        var delete: Action
        var deleteAll: Action = .deleteMetadefNamespace
    }

    let context: ServiceContext
    let access: MetadefAccess
    let actions: Actions
    private let store = MetadefPartStore<Part>()

    init(context: ServiceContext, _ actions: Actions) {
        self.context = context
        self.actions = actions
        access = MetadefAccess(context: context)
    }

    // MARK: Reading

    /// Returns the parts of a namespace.
    ///
    /// - Parameter page: the page; nil for all parts in the order of creation.
    func list(_ page: MetadefPage? = nil, in namespace: String, by caller: Principal) async throws -> [Part] {
        try await context.read { tx in
            let namespace = try access.namespace(namespace, for: actions.list, by: caller, in: tx)
            if let each = actions.listed, !access.allows(each, caller, in: namespace) { return [] }
            guard let page else { return try store.all(of: [namespace.id], in: tx) }
            let marker = try page.marker.map { try require($0, in: namespace, tx).id.text }
            return try store.page(of: namespace, page, marker: marker, in: tx)
        }
    }

    func get(_ name: String, in namespace: String, by caller: Principal) async throws -> Part {
        try await context.read { tx in
            let namespace = try access.namespace(namespace, for: actions.get, by: caller, in: tx)
            return try require(name, in: namespace, tx)
        }
    }

    // MARK: Writing

    func add(_ part: Part, to namespace: String, by caller: Principal) async throws -> Part {
        let now = context.world.now
        return try await refusingDuplicates(of: part.name, in: namespace) {
            try await context.database.write { tx in
                let namespace = try access.namespace(namespace, for: actions.add, by: caller, in: tx)
                return try insert([part], in: namespace, at: now, tx)[0]
            }
        }
    }

    /// Creates all parts or none.
    ///
    /// - Parameter isAppending: whether the existing parts stay. An empty list changes nothing in either case.
    func add(_ parts: [Part], appending isAppending: Bool, to namespace: String, by caller: Principal) async throws -> [Part] {
        let now = context.world.now
        return try await refusingDuplicates(of: nil, in: namespace) {
            try await context.database.write { tx in
                let namespace = try access.namespace(namespace, for: actions.addMany ?? actions.add, by: caller, in: tx)
                guard !parts.isEmpty else { return [] }
                if isAppending {
                    let present = Set(try store.all(of: [namespace.id], in: tx).map(\.name))
                    if let twice = parts.first(where: { present.contains($0.name) }) {
                        throw CloudError.metadefPartExists(Part.noun, twice.name, in: namespace.name)
                    }
                } else {
                    try store.deleteAll(in: namespace, tx)
                }
                return try insert(parts, in: namespace, at: now, tx)
            }
        }
    }

    private func insert(_ parts: [Part], in namespace: MetadefNamespace, at now: Timestamp, _ tx: Transaction) throws -> [Part] {
        let made = try parts.completed(in: namespace, from: try store.nextPosition(in: namespace, tx), at: now, context.world)
        if Part.isNamedAfterResourceType {
            try MetadefNamespaceStore().ensureResourceTypes(made.map(\.name), at: now, in: tx)
        }
        try store.rows.insert(made, in: tx)
        return made
    }

    /// Replaces a part, also its name.
    func modify(_ name: String, in namespace: String, to given: Part, by caller: Principal) async throws -> Part {
        let now = context.world.now
        return try await refusingDuplicates(of: given.name, in: namespace) {
            try await context.database.write { tx in
                let namespace = try access.namespace(namespace, for: actions.modify ?? actions.add, by: caller, in: tx)
                let old = try require(name, in: namespace, tx)
                var part = given
                part.id = old.id
                part.namespaceID = old.namespaceID
                part.position = old.position
                part.createdAt = old.createdAt
                part.updatedAt = now
                try store.rows.update(part, in: tx)
                return part
            }
        }
    }

    func delete(_ name: String, in namespace: String, by caller: Principal) async throws {
        try await context.database.write { tx in
            let namespace = try access.namespace(namespace, for: actions.delete, by: caller, in: tx)
            let part = try require(name, in: namespace, tx)
            guard !namespace.isProtected else { throw CloudError.isProtected(namespace) }
            try store.rows.delete(part.id, in: tx)
        }
    }

    func deleteAll(in namespace: String, by caller: Principal) async throws {
        try await context.database.write { tx in
            let namespace = try access.namespace(
                namespace, for: .deleteMetadefNamespace, actions.deleteAll, by: caller, in: tx)
            guard !namespace.isProtected else { throw CloudError.isProtected(namespace) }
            try store.deleteAll(in: namespace, tx)
        }
    }

    // MARK: Parts

    private func require(_ name: String, in namespace: MetadefNamespace, _ tx: Transaction) throws -> Part {
        guard let part = try store.find(name, in: namespace, tx) else {
            throw CloudError.notFound("metadata definition \(Part.noun)", name)
        }
        return part
    }

    private func refusingDuplicates<Value>(
        of name: String?, in namespace: String, _ body: () async throws -> Value
    ) async throws -> Value {
        do {
            return try await body()
        } catch SQLError.uniqueViolation {
            throw name.map { CloudError.metadefPartExists(Part.noun, $0, in: namespace) }
                ?? .conflict("The metadata definition namespace \(namespace) has one of these already.")
        }
    }
}

// MARK: - The kinds

extension MetadefPartService where Part == MetadefObject {
    init(context: ServiceContext) {
        self.init(
            context: context,
            Actions(
                list: .listMetadefObjects, listed: .getMetadefObject, get: .getMetadefObject, add: .addMetadefObject,
                modify: .modifyMetadefObject, delete: .deleteMetadefObject))
    }
}

extension MetadefPartService where Part == MetadefTag {
    init(context: ServiceContext) {
        self.init(
            context: context,
            Actions(
                list: .listMetadefTags, get: .getMetadefTag, add: .addMetadefTag, addMany: .addMetadefTags,
                modify: .modifyMetadefTag, delete: .deleteMetadefTag, deleteAll: .deleteMetadefTags))
    }
}

extension MetadefPartService where Part == MetadefAssociation {
    init(context: ServiceContext) {
        self.init(
            context: context,
            Actions(
                list: .listMetadefResourceTypes, listed: .getMetadefResourceType, get: .getMetadefResourceType,
                add: .addMetadefAssociation, delete: .removeMetadefAssociation))
    }
}

extension MetadefPartService where Part == MetadefProperty {
    init(context: ServiceContext) {
        self.init(
            context: context,
            Actions(
                list: .listMetadefProperties, get: .getMetadefProperty, add: .addMetadefProperty, modify: .modifyMetadefProperty,
                delete: .removeMetadefProperty))
    }

    /// Returns the property that resources of a type use under `name`: with the prefix of the type's association.
    ///
    /// - Throws: `CloudError.notFound`, also if the name lacks the prefix, or if the type has none.
    func get(
        _ name: String, as resourceType: String, in namespace: String, by caller: Principal
    ) async throws -> MetadefProperty {
        try await context.read { tx in
            let namespace = try access.namespace(namespace, for: actions.get, .getMetadefResourceType, by: caller, in: tx)
            guard let association = try MetadefPartStore<MetadefAssociation>().find(resourceType, in: namespace, tx) else {
                throw CloudError.notFound("metadata definition \(MetadefAssociation.noun)", resourceType)
            }
            guard let prefix = association.prefix, !prefix.isEmpty, name.hasPrefix(prefix) else {
                throw CloudError.notFound(
                    "The name of the property \(name) does not begin with the prefix of the resource type \(resourceType).")
            }
            return try require(String(name.dropFirst(prefix.count)), in: namespace, tx)
        }
    }
}
