import BlockStorage
import CloudCore
import Compute
import Durable
import HostModel
import SQL

/// The part of Compute that Block Storage needs.
struct ServersForBlockStorage: BlockStorageServers {
    let workflows: Workflows

    func note(_ growth: VolumeGrowth, in tx: Transaction) throws {
        try ComputeAssembly.note(growth, by: workflows, in: tx)
    }
}
