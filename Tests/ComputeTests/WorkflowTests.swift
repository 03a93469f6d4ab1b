import CloudCore
@testable import Compute
import Durable
import HostModel
import SQL
import TestSupport
import Testing

@Suite("Workflows of servers")
struct WorkflowTests {
    private static func start<W: Workflow>(_ workflow: W.Type, _ input: W.Input) -> @Sendable (ServerStage, Workflows, Transaction) throws -> WorkflowID {
        { stage, workflows, tx in
            try workflows.start(workflow, input, on: Server.resource(ServerStage.id), as: ServerStage.principal, in: tx)
        }
    }

    private static func fixture<W: Workflow>(
        _ workflow: W.Type, from state: VMState?, image: NewImage? = nil, _ input: W.Input,
        prepare: @escaping @Sendable (inout Server) -> Void = { _ in }
    ) -> WorkflowFixture {
        fixture(workflow, .init(state: state, image: image, prepare: prepare), begin: start(workflow, input))
    }

    private static func fixture<W: Workflow>(
        _ workflow: W.Type, _ setting: ServerStage.Setting,
        begin: @escaping @Sendable (ServerStage, Workflows, Transaction) throws -> WorkflowID
    ) -> WorkflowFixture {
        // The runner's list has all of Compute's workflows, as in the product.
        let company = ServerWork.types.filter { Outline($0).key != Outline(workflow).key }
        return WorkflowFixture(workflow, with: company, schemas: ServerStage.schemas) { database, world in
            try await ServerStage(database, world, setting, begin: begin)
        }
    }

    /// Starts the attachment of a volume that the request has reserved.
    private static let attach: @Sendable (ServerStage, Workflows, Transaction) throws -> WorkflowID = {
        stage, workflows, tx in
        let volume = ServerStage.volume()
        try stage.volumes.reserve(volume.use(in: "p"), in: tx)
        try ServerVolumeStore().insert(volume, in: tx)
        return try start(AttachVolume.self, .init(volume: volume))(stage, workflows, tx)
    }

    private static func verb<Verb: ServerVerb>(_ verb: Verb.Type, from state: VMState) -> WorkflowFixture {
        let workflow = CommandServer<Verb>.self
        return fixture(workflow, .init(state: state, restoresPower: false), begin: start(workflow, .init(serverID: ServerStage.id)))
    }

    private static let copy = NewImage(id: "66666666-6666-4666-8666-666666666666", name: "copy", minDiskGiB: 1, properties: [:])

    private static let evacuation = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
    private static let rescueImage = Server.ImageReference(id: "99999999-9999-4999-8999-999999999999", properties: [:])

    /// Changes the server to one that has come from another host.
    private static let moved: @Sendable (inout Server) -> Void = { server in
        server.otherHost = "host-2"
        server.former = .init(flavor: ServerStage.flavor("old"), host: "host-2", wasRunning: true)
    }

    /// A root disk that is a volume, and another volume.
    private static let rootAndData = [ServerStage.volume("/dev/vda", bootIndex: 0), ServerStage.volume()]

    static let fixtures: [WorkflowFixture] = [
        fixture(CreateServer.self, .init()) { stage, workflows, tx in
            let server = ServerStage.server(stage.world)
            try ServerStore().insert(server, in: tx)
            return try workflows.start(
                CreateServer.self, .init(serverID: server.id, flavor: server.flavor, network: ServerStage.plan), on: server.resource,
                as: ServerStage.principal, in: tx)
        },
        // One volume is the user's, one is made for the server and is its root disk.
        fixture(
            CreateServerWithVolumes.self, .init(freeVolumes: [ServerStage.volume().volumeID])
        ) { stage, workflows, tx in
            let server = ServerStage.server(stage.world)
            let (root, own) = (ServerStage.volume("/dev/vda", bootIndex: 0, isDeleted: true), ServerStage.volume())
            try ServerStore().insert(server, in: tx)
            try stage.volumes.reserve(own.use(in: "p"), in: tx)
            try ServerVolumeStore().insert(own, in: tx)
            let new = NewVolume(id: root.volumeID, source: .image("i"), sizeGiB: 1, type: nil)
            return try workflows.start(
                CreateServerWithVolumes.self,
                .init(
                    serverID: server.id, flavor: server.flavor, network: ServerStage.plan,
                    volumes: [.init(use: root, new: new), .init(use: own)]),
                on: server.resource, as: ServerStage.principal, in: tx)
        },
        fixture(DeleteServer.self, from: .active, .init(serverID: ServerStage.id)),
        fixture(
            DeleteServer.self,
            .init(
                state: .active,
                volumes: [ServerStage.volume("/dev/vda", bootIndex: 0, isDeleted: true), ServerStage.volume()]),
            begin: start(DeleteServer.self, .init(serverID: ServerStage.id))),
        fixture(
            AttachVolume.self, .init(state: .active, freeVolumes: [ServerStage.volume().volumeID]), begin: attach),
        fixture(
            DetachVolume.self, .init(state: .active, volumes: [ServerStage.volume()])
        ) { stage, workflows, tx in
            let volume = ServerStage.volume()
            try stage.volumes.beginDetaching(volume.attachmentID, in: tx)
            return try start(DetachVolume.self, .init(volume: volume))(stage, workflows, tx)
        },
        fixture(
            ExtendServerVolume.self, .init(state: .active, volumes: [ServerStage.volume()]),
            begin: start(
                ExtendServerVolume.self, .init(serverID: ServerStage.id, volumeID: ServerStage.volume().volumeID))),
        fixture(
            MigrateServer.self, .init(state: .active, volumes: [ServerStage.volume()]),
            begin: start(
                MigrateServer.self,
                .init(serverID: ServerStage.id, flavor: ServerStage.flavor(), migrationID: "m"))),
        fixture(ResizeServer.self, from: .active, .init(serverID: ServerStage.id, flavor: ServerStage.flavor("large", ram: 1024), migrationID: "m")),
        fixture(
            ResizeServer.self, from: .stopped,
            .init(serverID: ServerStage.id, flavor: ServerStage.flavor("large", ram: 1024), migrationID: "m", host: "host-2")),
        fixture(MigrateServer.self, from: .active, .init(serverID: ServerStage.id, flavor: ServerStage.flavor(), migrationID: "m")),
        fixture(MoveRunningServer.self, from: .active, .init(serverID: ServerStage.id, migrationID: "m")),
        fixture(MoveRunningServer.self, from: .paused, .init(serverID: ServerStage.id, migrationID: "m")),
        fixture(EvacuateServer.self, from: .active, .init(serverID: ServerStage.id, migrationID: evacuation, startsAfter: true)),
        fixture(SweepHost.self, from: .active, .init(serverID: ServerStage.id, migrationID: evacuation, host: "host-2")),
        fixture(RescueServer.self, from: .active, .init(serverID: ServerStage.id, image: rescueImage)),
        fixture(RescueServer.self, from: .stopped, .init(serverID: ServerStage.id, image: rescueImage)),
        fixture(UnrescueServer.self, from: .rescued, .init(serverID: ServerStage.id)) { $0.rescueImage = rescueImage },
        fixture(ShelveServer.self, from: .active, image: copy, .init(serverID: ServerStage.id, image: copy, offloads: true)),
        fixture(ShelveServer.self, from: .paused, image: copy, .init(serverID: ServerStage.id, image: copy, offloads: false)),
        fixture(OffloadServer.self, from: .shelved, image: copy, .init(serverID: ServerStage.id)) { $0.shelvedImage = copy.id },
        fixture(UnshelveServer.self, from: .shelved, image: copy, .init(serverID: ServerStage.id)) { $0.shelvedImage = copy.id },
        fixture(UnshelveServer.self, from: .shelvedOffloaded, image: copy, .init(serverID: ServerStage.id)) { server in
            (server.shelvedImage, server.host, server.power) = (copy.id, nil, .none)
        },
        fixture(ConfirmResize.self, from: .resized, .init(serverID: ServerStage.id), prepare: moved),
        fixture(RevertResize.self, from: .resized, .init(serverID: ServerStage.id), prepare: moved),
        fixture(ConfirmResize.self, from: .resized, .init(serverID: ServerStage.id)) { $0.former = .init(flavor: ServerStage.flavor("old"), host: ServerStage.host, wasRunning: true) },
        fixture(RevertResize.self, from: .resized, .init(serverID: ServerStage.id)) { $0.former = .init(flavor: ServerStage.flavor("old"), host: ServerStage.host, wasRunning: true) },
        fixture(SnapshotServer.self, from: .active, image: copy, .init(serverID: ServerStage.id, image: copy)),
        fixture(
            SnapshotServerVolumes.self,
            .init(state: .active, image: copy, volumes: [ServerStage.volume("/dev/vda", bootIndex: 0)])
        ) { stage, workflows, tx in
            let id = ID<Kind.Snapshot>("d0000000-0000-4000-8000-00000000000a")
            let new = NewSnapshot(id: id, volume: ServerStage.volume("/dev/vda").volumeID, name: "copy")
            try stage.volumes.takeSnapshots([new], for: ServerStage.principal, in: tx)
            return try workflows.start(
                SnapshotServerVolumes.self, .init(serverID: ServerStage.id, image: copy, snapshots: [id]),
                on: Server.resource(ServerStage.id), as: ServerStage.principal, in: tx)
        },
        fixture(
            BackupServer.self, from: .active, image: copy,
            .init(serverID: ServerStage.id, image: copy, rotation: .init(kind: "daily", most: 1))),
        fixture(
            AttachInterface.self, from: .active,
            .init(
                serverID: ServerStage.id,
                network: NetworkPlan(
                    projectID: "p", ports: [.init(id: "77777777-7777-4777-8777-777777777777", network: MemoryNetworks.network, isGiven: false)],
                    securityGroups: []))),
        fixture(DetachInterface.self, from: .active, .init(serverID: ServerStage.id, portID: ServerStage.plan.ports[0].id)),
        fixture(
            ShelveServerWithVolumes.self, .init(state: .active, volumes: rootAndData),
            begin: start(ShelveServerWithVolumes.self, .init(serverID: ServerStage.id))),
        fixture(
            UnshelveServer.self,
            .init(
                state: .shelvedOffloaded, volumes: rootAndData, prepare: { ($0.host, $0.power) = (nil, .none) }),
            begin: start(UnshelveServer.self, .init(serverID: ServerStage.id))),
        fixture(
            AttachVolume.self,
            .init(
                state: .shelvedOffloaded, freeVolumes: [ServerStage.volume().volumeID],
                prepare: { ($0.host, $0.power) = (nil, .none) }),
            begin: attach),
        fixture(
            ReimageServer.self, .init(state: .active, mayBreak: true, volumes: rootAndData)
        ) { stage, workflows, tx in
            let image = VolumeImageFacts(
                id: "88888888-8888-4888-8888-888888888888", name: "i", isActive: true, sizeBytes: 1)
            return try workflows.start(
                ReimageServer.self, .init(server: ServerStage.server(stage.world), image: image, startsAfter: true),
                on: Server.resource(ServerStage.id), as: ServerStage.principal, in: tx)
        },
        verb(StartVerb.self, from: .stopped), verb(StopVerb.self, from: .active), verb(SoftRebootVerb.self, from: .active),
        verb(HardRebootVerb.self, from: .active), verb(PauseVerb.self, from: .active), verb(UnpauseVerb.self, from: .paused),
        verb(SuspendVerb.self, from: .active), verb(ResumeVerb.self, from: .suspended),
        fixture(RebuildServer.self, .init(state: .active, mayBreak: true)) { stage, workflows, tx in
            var wanted = ServerStage.server(stage.world)
            wanted.image = .init(id: "88888888-8888-4888-8888-888888888888", properties: [:])
            return try workflows.start(
                RebuildServer.self, .init(server: wanted, startsAfter: true), on: wanted.resource, as: ServerStage.principal, in: tx)
        },
    ]

    @Test("Each workflow completes or is undone without leftovers, whatever fails at any step", arguments: fixtures)
    func conforms(_ fixture: WorkflowFixture) async throws { try await fixture.conforms(on: .usual) }

    @Test("A workflow complains or ends the same if a value that an earlier step noted is missing", arguments: fixtures)
    func complains(_ fixture: WorkflowFixture) async throws {
        let complaints = try await fixture.complainsOfWhatIsMissing(on: .sqlite)
        // The state of a sweep is a single number, so a state without it cannot be read and there is no complaint.
        #expect(complaints > 0 || fixture.outline.key.kind == SweepHost.kind)
    }

    @Test("Each workflow of a server has a fixture")
    func complete() { #expect(WorkflowFixture.missing(for: ServerWork.types, in: Self.fixtures) == []) }
}
