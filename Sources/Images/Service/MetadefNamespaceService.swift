import Access
import CloudCore
import Resources
import SQL

/// The service of namespaces of metadata definitions with their contents, and of resource types.
struct MetadefNamespaceService: Sendable {
    let context: ServiceContext
    let access: MetadefAccess
    private let store = MetadefNamespaceStore()

    init(context: ServiceContext) {
        self.context = context
        access = MetadefAccess(context: context)
    }

    /// A page of namespaces, each with its associations.
    struct Listed: Sendable {
        var rows: [(namespace: MetadefNamespace, associations: [MetadefAssociation])]
        /// The name after which the next page begins; nil if there is none.
        var next: String?
    }

    func list(_ filter: MetadefNamespaceStore.Filter, _ page: MetadefPage, by caller: Principal) async throws -> Listed {
        try access.require(.listMetadefNamespaces, caller)
        try access.require(.listMetadefResourceTypes, caller)
        var filter = filter
        filter.visibleTo = access.viewer(caller)
        return try await context.read { [filter] tx in
            let marker = try page.marker.map { try access.namespace($0, for: .getMetadefNamespace, by: caller, in: tx).id.text }
            let found = try store.page(filter, page, marker: marker, in: tx)
            let seen = found.rows.filter { access.allows(.getMetadefNamespace, caller, in: $0) }
            let associations: [MetadefAssociation] = try MetadefPartStore().all(of: seen.map(\.id), in: tx)
            let byNamespace = Dictionary(grouping: associations, by: \.namespaceID)
            return Listed(
                rows: seen.map { ($0, byNamespace[$0.id] ?? []) }, next: found.hasMore ? seen.last?.name : nil)
        }
    }

    func show(_ name: String, by caller: Principal) async throws -> (MetadefNamespace, MetadefContents) {
        try await context.read { tx in
            let namespace = try access.namespace(
                name, for: .getMetadefNamespace, .listMetadefResourceTypes, .listMetadefObjects, .listMetadefProperties,
                .listMetadefTags, by: caller, in: tx)
            return (namespace, try store.contents(of: namespace, in: tx))
        }
    }

    /// Creates a namespace with all its contents, or nothing.
    ///
    /// - Throws: `CloudError.conflict` if the name is taken, or if the contents have a name twice.
    func create(
        _ given: MetadefNamespace.Given, _ contents: MetadefContents, by caller: Principal
    ) async throws -> (MetadefNamespace, MetadefContents) {
        try requireCreation(contents, by: caller)
        guard let owner = given.owner ?? caller.projectID?.text else {
            throw CloudError.forbidden("A namespace belongs to a project, and the token is for none.")
        }
        let (namespace, made) = try assembled(given, contents, owner: owner)
        return try await refusingDuplicates(of: given.name) {
            try await context.database.write { tx in
                try insert(namespace, made, in: tx)
                return (namespace, made)
            }
        }
    }

    /// Returns a new namespace and its contents, with the values that a body does not have.
    ///
    /// - Parameter owner: the owner if `given` names none.
    /// - Throws: `CloudError.conflict` if the contents have a name twice.
    func assembled(
        _ given: MetadefNamespace.Given, _ contents: MetadefContents, owner: String
    ) throws -> (MetadefNamespace, MetadefContents) {
        var namespace = MetadefNamespace()
        namespace.id = ID(context.world.random.uuid())
        namespace.createdAt = context.world.now
        namespace.updatedAt = namespace.createdAt
        namespace.set(given, owner: owner)
        var made = MetadefContents()
        made.associations = try completed(contents.associations, in: namespace)
        made.properties = try completed(contents.properties, in: namespace)
        made.objects = try completed(contents.objects, in: namespace)
        made.tags = try completed(contents.tags, in: namespace)
        return (namespace, made)
    }

    func insert(_ namespace: MetadefNamespace, _ made: MetadefContents, in tx: Transaction) throws {
        try store.rows.insert(namespace, in: tx)
        try store.ensureResourceTypes(made.associations.map(\.name), at: namespace.createdAt, in: tx)
        try MetadefPartStore().rows.insert(made.associations, in: tx)
        try MetadefPartStore().rows.insert(made.properties, in: tx)
        try MetadefPartStore().rows.insert(made.objects, in: tx)
        try MetadefPartStore().rows.insert(made.tags, in: tx)
    }

    private func requireCreation(_ contents: MetadefContents, by caller: Principal) throws {
        try access.require(.addMetadefNamespace, caller)
        if !contents.associations.isEmpty { try access.require(.addMetadefAssociation, caller) }
        if !contents.objects.isEmpty { try access.require(.addMetadefObject, caller) }
        if !contents.properties.isEmpty { try access.require(.addMetadefProperty, caller) }
        if !contents.tags.isEmpty { try access.require(.addMetadefTag, caller) }
    }

    private func completed<Part: MetadefPart>(_ parts: [Part], in namespace: MetadefNamespace) throws -> [Part] {
        try parts.completed(in: namespace, from: 0, at: namespace.createdAt, context.world)
    }

    /// Replaces the members of a namespace; its contents stay.
    func update(_ name: String, _ given: MetadefNamespace.Given, by caller: Principal) async throws -> MetadefNamespace {
        let now = context.world.now
        return try await refusingDuplicates(of: given.name) {
            try await context.database.write { tx in
                var namespace = try access.namespace(name, for: .modifyMetadefNamespace, by: caller, in: tx)
                namespace.set(given, owner: caller.projectID?.text ?? namespace.owner)
                namespace.updatedAt = now
                try store.rows.update(namespace, in: tx)
                return namespace
            }
        }
    }

    func delete(_ name: String, by caller: Principal) async throws {
        try await context.database.write { tx in
            let namespace = try access.namespace(name, for: .deleteMetadefNamespace, by: caller, in: tx)
            guard !namespace.isProtected else { throw CloudError.isProtected(namespace) }
            try store.rows.delete(namespace.id, in: tx)
        }
    }

    func resourceTypes(by caller: Principal) async throws -> [MetadefResourceType] {
        try access.require(.listMetadefResourceTypes, caller)
        return try await context.read { tx in try store.resourceTypes(in: tx) }
    }

    private func refusingDuplicates<Value>(of name: String, _ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch SQLError.uniqueViolation {
            throw CloudError.metadefNamespaceExists(name)
        }
    }
}

extension Array where Element: MetadefPart {
    /// Returns new parts, with the values that a body does not have.
    ///
    /// - Throws: `CloudError.conflict` if two have the same name.
    func completed(in namespace: MetadefNamespace, from position: Int, at now: Timestamp, _ world: World) throws -> [Element] {
        var names: Set<String> = []
        return try enumerated().map { place, part in
            guard names.insert(part.name).inserted else {
                throw CloudError.metadefPartExists(Element.noun, part.name, in: namespace.name)
            }
            var part = part
            part.id = ID(world.random.uuid())
            part.namespaceID = namespace.id
            part.position = position + place
            part.createdAt = now
            part.updatedAt = now
            return part
        }
    }
}
