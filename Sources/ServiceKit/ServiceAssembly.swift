package import Access
package import Durable
package import HTTPKit
package import SQL
package import ServiceLifecycle

/// A service of the cloud with everything wired: all that the composition of the cloud needs from it.
///
/// The concrete type has an initialiser of its own, with the service's dependencies. `Cloud` makes the assemblies in
/// the order of their dependencies, and loops over them for everything declared here.
package protocol ServiceAssembly: Sendable {
    /// The database schema of the service.
    static var schema: Schema { get }
    /// The usage that the database keeps for the service; nil if there is none.
    static var ledger: Ledger? { get }
    /// The entry under which clients find the service.
    static var catalogEntry: CatalogEntry { get }
    /// Further entries under which older clients find the same API.
    static var otherCatalogEntries: [CatalogEntry] { get }
    /// The default policy rules, which an operator's policy file can override.
    static var policyRules: [PolicyDefault] { get }
    /// The workflows of the service, including former versions that may still be running.
    static var workflows: [any Workflow.Type] { get }

    /// The API of the service: its routes, its envelope of errors, its microversions.
    var service: APIService { get }
    /// The definitions of `workflows`.
    var definitions: [WorkflowDefinition] { get }
    /// The work that runs beside the requests.
    var backgroundServices: [any Service] { get }

    /// Loads everything that must be in memory before the first request. The schema is up to date by then.
    func prepare() async throws
}

extension ServiceAssembly {
    package static var ledger: Ledger? { nil }
    package static var otherCatalogEntries: [CatalogEntry] { [] }
    package static var catalogEntries: [CatalogEntry] { [catalogEntry] + otherCatalogEntries }
    package static var workflows: [any Workflow.Type] { [] }
    package var definitions: [WorkflowDefinition] { [] }
    package var backgroundServices: [any Service] { [] }
    package func prepare() async throws {}

    /// The name of the service's target: `Identity` of `IdentityAssembly`.
    package static var name: String { "\(Self.self)".replacing("Assembly", with: "") }
}
