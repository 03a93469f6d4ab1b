import CloudCore
import Compute
import HostModel
import SQL

struct NoVolumes: VolumesNeed {
    func volume(_ id: ID<Kind.Volume>, for principal: Principal) async throws -> VolumeFacts { throw CloudError.notFound("Volume \(id) could not be found.") }
    func snapshot(_ id: ID<Kind.Snapshot>, for principal: Principal) async throws -> VolumeFacts { throw CloudError.notFound("Snapshot \(id) could not be found.") }
    func make(_ volume: NewVolume, for host: String, by principal: Principal) async throws {}
    func delete(_ id: ID<Kind.Volume>, for principal: Principal?, in tx: Transaction) throws {}
    func reserve(_ use: VolumeUse, in tx: Transaction) throws {}
    func complete(_ attachment: ID<Kind.Attachment>, in tx: Transaction) throws {}
    func beginDetaching(_ attachment: ID<Kind.Attachment>, in tx: Transaction) throws {}
    func keep(_ attachment: ID<Kind.Attachment>, in tx: Transaction) throws {}
    func release(_ attachment: ID<Kind.Attachment>, in tx: Transaction) throws {}
    func connect(_ use: VolumeUse, on host: String) async throws -> ConnectedVolume { throw CloudError.conflict("no") }
    func disconnect(_ use: VolumeUse, on host: String) async throws {}
}
