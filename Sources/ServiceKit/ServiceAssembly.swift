package import Access
package import Durable
package import HTTPKit
package import SQL
package import ServiceLifecycle

/// A service of the cloud, wired: all that it hands out to who puts the cloud together.
///
/// A service's own type is made with what the service depends on, so its initialiser is its own affair. `Cloud` makes
/// the assemblies in the order in which they need each other, and loops over them for everything that stands here.
package protocol ServiceAssembly: Sendable {
    /// The tables of the service.
    static var schema: Schema { get }
    /// The way in which clients find the service.
    static var catalogEntry: CatalogEntry { get }
    /// The rules of who may do what, which an operator's policy file can replace.
    static var policyRules: [PolicyDefault] { get }
    /// The durable operations of the service, also former versions that may still be under way.
    static var workflows: [any Workflow.Type] { get }

    /// The API of the service: its routes, its envelope of errors, its microversions.
    var service: APIService { get }
    /// The code of `workflows`.
    var definitions: [WorkflowDefinition] { get }
    /// The work that goes on beside the requests.
    var backgroundServices: [any Service] { get }

    /// Loads what must be in memory before the first request. The schema is up to date then.
    func prepare() async throws
}

extension ServiceAssembly {
    package static var workflows: [any Workflow.Type] { [] }
    package var definitions: [WorkflowDefinition] { [] }
    package var backgroundServices: [any Service] { [] }
    package func prepare() async throws {}

    /// The name of the service's target: `Identity` of `IdentityAssembly`.
    package static var name: String { "\(Self.self)".replacing("Assembly", with: "") }
}
