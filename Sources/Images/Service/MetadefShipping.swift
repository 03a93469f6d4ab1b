import CloudCore
import Resources
import SQL

/// A loader of the definitions that come with the cloud. Each is stored only once, so an operator's later change or
/// deletion lasts.
struct MetadefShipping: Sendable {
    let context: ServiceContext
    private let store = MetadefNamespaceStore()

    /// The owner of these namespaces: no project has this id, and everybody may see them.
    private static let owner = "admin"

    func load(_ all: [(given: MetadefNamespace.Given, contents: MetadefContents)]) async throws {
        let known = try await context.read { tx in try store.shipped(in: tx) }
        let fresh = all.filter { !known.contains($0.given.name) }
        if fresh.isEmpty { return }
        let namespaces = MetadefNamespaceService(context: context)
        let made = try fresh.map { try namespaces.assembled($0.given, $0.contents, owner: Self.owner) }
        try await context.database.write { tx in
            for (namespace, contents) in made {
                // Another process may have been faster, or an operator may have created a namespace of that name.
                guard try store.markShipped(namespace.name, in: tx), try store.find(namespace.name, in: tx) == nil else { continue }
                try namespaces.insert(namespace, contents, in: tx)
            }
        }
    }
}
