import CloudCore
package import Durable
package import HostModel
package import SQL

extension ComputeAssembly {
    /// Notes among the actions on servers that their volume has grown. A server that does not have the volume is passed
    /// over: users name servers in attachments of their own, and a foreign server must not tell of them.
    package static func note(_ growth: VolumeGrowth, by workflows: Workflows, in tx: Transaction) throws {
        for server in growth.servers {
            guard try ServerVolumeStore().find(growth.volume, of: server, in: tx) != nil else { continue }
            try ExtendServerVolume.begin(growth, on: server, by: workflows, in: tx)
        }
    }
}
