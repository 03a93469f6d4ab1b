import BlockStorage
import Compute
package import Durable
import Identity
import Images
import Networking
import Placement
package import SQL
package import ServiceKit

extension Cloud {
    /// Every service of the cloud, in the order in which their schemas are applied and they are prepared. `init`
    /// creates one of each.
    package static let services: [any ServiceAssembly.Type] = [
        IdentityAssembly.self, PlacementAssembly.self, ImagesAssembly.self, NetworkingAssembly.self,
        ComputeAssembly.self, BlockStorageAssembly.self,
    ]

    /// The workflows of every service.
    package static let workflowTypes: [any Workflow.Type] = services.flatMap { $0.workflows }

    /// The usage that the database keeps for each service that has some.
    package static let ledgers: [Ledger] = services.compactMap { $0.ledger }

    /// All schemas, in the order in which they are applied.
    package static let schemas: [Schema] = [.durable, .cloud] + services.map { $0.schema }
}
