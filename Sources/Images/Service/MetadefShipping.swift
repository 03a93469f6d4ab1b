import CloudCore
import Resources
import SQL

/// Brings the definitions that come with the cloud into its tables: each of them once. Who deletes or changes one keeps it so.
struct MetadefShipping: Sendable {
    let context: ServiceContext
    private let store = MetadefNamespaceStore()

    init(context: ServiceContext) { self.context = context }

    /// Whose they are: no project has this id, and they are everybody's to see.
    private static let owner = "admin"

    func load(_ all: [(given: MetadefNamespace.Given, contents: MetadefContents)]) async throws {
        let known = try await context.read { tx in try store.shipped(in: tx) }
        let fresh = all.filter { !known.contains($0.given.name) }
        if fresh.isEmpty { return }
        let namespaces = MetadefNamespaceService(context: context)
        let made = try fresh.map { try namespaces.assembled($0.given, $0.contents, owner: Self.owner) }
        try await context.database.write { tx in
            for (namespace, contents) in made {
                // Another process may have been quicker, and an operator may have made one of that name by hand.
                guard try store.markShipped(namespace.name, in: tx), try store.find(namespace.name, in: tx) == nil else { continue }
                try namespaces.insert(namespace, contents, in: tx)
            }
        }
    }
}
