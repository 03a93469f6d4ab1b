import CloudCore
import Resources
import SQL
package import ServiceKit

extension IdentityAssembly {
    /// The settings that a new cloud's first rows are made from.
    package struct Bootstrap: Sendable {
        package var adminPassword: String
        package var demoPassword: String
        /// The cloud's URL without a path.
        package var publicURL: String
        package var region: String
        /// The catalog entries of the services in this binary.
        package var catalog: [CatalogEntry]

        package init(
            adminPassword: String, demoPassword: String, publicURL: String, region: String,
            catalog: [CatalogEntry]
        ) {
            self.adminPassword = adminPassword
            self.demoPassword = demoPassword
            self.publicURL = publicURL
            self.region = region
            self.catalog = catalog
        }
    }

    /// Creates the default domain, the roles, the users `admin` and `demo` with their projects, and the catalog, as far
    /// as they are missing. Moves the catalog's endpoints if the cloud's URL has changed.
    ///
    /// - Returns: whether the users were created. If they were not, the given passwords were not used.
    package func bootstrap(_ wanted: Bootstrap) async throws -> Bool {
        var isFirst = false
        if try await identity.base.read({ tx in try UserStore().isEmpty(in: tx) }) {
            let admin = try await identity.hasher.hash(Secret(wanted.adminPassword))
            let demo = try await identity.hasher.hash(Secret(wanted.demoPassword))
            // Other processes may start on the same database, so the check is repeated while the lock is held.
            isFirst = try await identity.base.write { tx in
                try tx.lock("identity_user")
                guard try UserStore().isEmpty(in: tx) else { return false }
                try makeUsers(admin: admin, demo: demo, in: tx)
                return true
            }
        }
        let isCurrent = try await identity.base.read { tx in try self.isCurrent(wanted, in: tx) }
        if !isCurrent {
            try await identity.base.write { tx in
                try tx.lock("identity_service")
                if try !self.isCurrent(wanted, in: tx) { try makeCatalog(wanted, in: tx) }
            }
        }
        return isFirst
    }

    // MARK: Users

    /// The roles of the hierarchy. Each role implies the next, so an administrator may do what a member may.
    private static let hierarchy = ["admin", "manager", "member", "reader"]

    private func makeUsers(admin: String, demo: String, in tx: Transaction) throws {
        var domain = Domain()
        domain.id = .standard
        domain.name = "Default"
        domain.description = "The default domain"
        try ResourceStore<Domain>().insert(domain, in: tx)
        var roles: [String: ID<Kind.Role>] = [:]
        for name in Self.hierarchy + ["service"] {
            var role = Role()
            role.id = ID(identity.world.random.hexID())
            role.name = name
            role.options = ["immutable": true]
            try ResourceStore<Role>().insert(role, in: tx)
            roles[name] = role.id
        }
        for (prior, implied) in zip(Self.hierarchy, Self.hierarchy.dropFirst()) {
            guard let prior = roles[prior], let implied = roles[implied] else { continue }
            try ImpliedRoleStore().insert(.init(prior: prior, implied: implied), in: tx)
        }
        try makeUser("admin", admin, [("admin", true)], roles, in: tx)
        try makeUser("demo", demo, [("member", false)], roles, in: tx)
        try makeProject("service", in: tx)
    }

    /// Creates a user and a project with the same name, and grants the user roles on the project. A role with
    /// `onSystem` is also granted on the default domain and on the system.
    private func makeUser(
        _ name: String, _ hash: String, _ granted: [(role: String, onSystem: Bool)], _ roles: [String: ID<Kind.Role>], in tx: Transaction
    ) throws {
        var user = User()
        user.id = ID(identity.world.random.hexID())
        user.name = name
        user.domainID = .standard
        user.createdAt = identity.world.now
        try ResourceStore<User>().insert(user, in: tx)
        try PasswordStore().add(
            .init(number: 1, hash: hash, createdAt: user.createdAt, expiresAt: nil, isByOwner: false), of: user.id, keeping: 1, in: tx)
        let project = try makeProject(name, in: tx)
        for (role, onSystem) in granted {
            guard let id = roles[role] else { continue }
            let targets: [Assignment.Target] = onSystem ? [.project(project), .domain(.standard), .system] : [.project(project)]
            for target in targets {
                try AssignmentStore().insert(.init(actor: .user(user.id), target: target, roleID: id, isInherited: false), in: tx)
            }
        }
    }

    @discardableResult
    private func makeProject(_ name: String, in tx: Transaction) throws -> ID<Kind.Project> {
        var project = Project()
        project.id = ID(identity.world.random.hexID())
        project.name = name
        project.domainID = .standard
        project.parentID = ID.standard.asProject
        try ResourceStore<Project>().insert(project, in: tx)
        return project.id
    }

    // MARK: The catalog

    private func isCurrent(_ wanted: Bootstrap, in tx: Transaction) throws -> Bool {
        let present = try CatalogStore().publicEndpoints(of: wanted.region, in: tx)
        return wanted.catalog.allSatisfy { entry in present.contains { $0 == (entry.type, wanted.publicURL + entry.path) } }
    }

    private func makeCatalog(_ wanted: Bootstrap, in tx: Transaction) throws {
        if try ResourceStore<Region>().find(ID(wanted.region), in: tx) == nil {
            var region = Region()
            region.id = ID(wanted.region)
            try ResourceStore<Region>().insert(region, in: tx)
        }
        for entry in wanted.catalog {
            var service = CatalogService()
            if let id = try CatalogStore().service(entry.type, in: tx) {
                service.id = id
            } else {
                service.id = ID(identity.world.random.hexID())
                service.type = entry.type
                service.name = entry.name
                try ResourceStore<CatalogService>().insert(service, in: tx)
            }
            for interface in ["public", "internal", "admin"] {
                let url = wanted.publicURL + entry.path
                if try CatalogStore().move(service.id, interface: interface, region: wanted.region, to: url, in: tx) { continue }
                var endpoint = Endpoint()
                endpoint.id = ID(identity.world.random.hexID())
                endpoint.interface = interface
                endpoint.regionID = ID(wanted.region)
                endpoint.serviceID = service.id
                endpoint.url = url
                try ResourceStore<Endpoint>().insert(endpoint, in: tx)
            }
        }
    }
}
