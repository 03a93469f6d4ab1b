import CloudCore
import Durable
import HostModel
import SQL

/// The world of volumes' workflows: the rows of Block Storage, the hosts with the bytes, and Images.
struct VolumeWorld: Sendable {
    let volumes = VolumeStore()
    let snapshots = SnapshotStore()
    let types = VolumeTypeStore()
    let attachments = AttachmentStore()
    let groups = GroupStore()
    let groupSnapshots = GroupSnapshotStore()
    let backups = BackupStore()
    let manifests = BackupManifestStore()
    let backupRules = BackupRules()
    let pieces: BackupWriter
    let picker: PoolPicker
    private let messages = MessageStore()
    private let needs: BlockStorageNeeds
    private let database: Database
    private let clock: World
    private let sleeper: any Sleeper

    init(context: BlockStorageContext) {
        (needs, database) = (context.needs, context.database)
        clock = context.world
        sleeper = context.sleeper
        pieces = BackupWriter(database: context.database, chunks: context.needs.chunks)
        picker = PoolPicker(hosts: context.needs.hosts)
    }

    var hosts: any BlockStorageHosts { needs.hosts }
    var images: any BlockStorageImages { needs.images }
    var servers: any BlockStorageServers { needs.servers }
    /// The time that is stored in rows. No step makes a decision by it.
    var now: Timestamp { clock.now }

    // MARK: Rows

    func require(_ id: ID<Kind.Volume>, in tx: Transaction) throws -> Volume { try volumes.require(id, in: tx) }

    /// Changes a volume's row, and returns the new form.
    ///
    /// - Throws: `notFound` if there is no row.
    @discardableResult
    func change(_ id: ID<Kind.Volume>, in tx: Transaction, _ body: (inout Volume) throws -> Void) throws -> Volume {
        let old = try require(id, in: tx)
        var new = old
        try body(&new)
        new.updatedAt = now
        try volumes.update(old, to: new, in: tx)
        return new
    }

    /// Changes a volume's row in an undo. It has no effect if the row is gone.
    func changeBack(_ id: ID<Kind.Volume>, in tx: Transaction, _ body: (inout Volume) throws -> Void) throws {
        guard try volumes.find(id, in: tx) != nil else { return }
        try change(id, in: tx, body)
    }

    /// Returns the volume of a workflow that is undone; nil if it is gone, or if a delete has called the workflow off.
    func undone(_ id: ID<Kind.Volume>, in tx: Transaction) throws -> Volume? {
        let volume = try volumes.find(id, in: tx)
        return volume?.status == .deleting ? nil : volume
    }

    /// Changes a snapshot's row. It has no effect if the row is gone.
    func changeBack(
        _ id: ID<Kind.Snapshot>, in tx: Transaction, _ body: (inout VolumeSnapshot) throws -> Void
    ) throws {
        guard let old = try snapshots.find(id, in: tx) else { return }
        var new = old
        try body(&new)
        new.updatedAt = now
        try snapshots.update(old, to: new, in: tx)
    }

    /// Reads rows apart from any step's transaction.
    func read<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        try await database.read(body)
    }

    // MARK: Copies

    /// The waits between two looks at a copy: the first, and the longest.
    private static let pauses = (first: Duration.milliseconds(50), longest: Duration.seconds(2))

    /// Waits until a copy on a host is whole.
    ///
    /// - Parameters:
    ///   - begun: how far the copy was when it began.
    ///   - look: looks at it again; nil if it is gone.
    ///   - each: is told each state, and may end the wait by an error.
    /// - Throws: the error of a copy that has failed.
    func awaitWhole(
        _ begun: VolumeProgress, _ look: () async throws -> VolumeProgress?, each: (Int) throws -> Void
    ) async throws {
        var (progress, pause) = (begun, Self.pauses.first)
        while true {
            switch progress {
            case .whole: return
            case .failed(let problem): throw problem.error
            case .copying(let percent): try each(percent)
            }
            try await sleeper.sleep(until: clock.now + pause)
            pause = min(pause * 2, Self.pauses.longest)
            guard let next = try await look() else {
                throw CloudError.internalError("a copy is gone from its host before it was whole")
            }
            progress = next
        }
    }

    // MARK: Messages

    /// Tells the user why a workflow failed. A workflow that was cancelled needs no words.
    func tell<W: Workflow>(
        _ action: VolumeMessage.Action, _ cause: VolumeMessage.Cause, about volume: Volume, _ run: Run<W>,
        in tx: Transaction
    ) throws {
        try tell(action, cause, about: (.volume, volume.id.text, volume.projectID), run, in: tx)
    }

    func tell<W: Workflow>(
        _ action: VolumeMessage.Action, _ cause: VolumeMessage.Cause,
        about subject: (kind: VolumeMessage.Subject, id: String, projectID: String), _ run: Run<W>, in tx: Transaction
    ) throws {
        let failure = run.failure
        if failure?.isCancellation == true { return }
        let hasNoPool = failure?.code == PoolChoice.code
        let failed = hasNoPool ? VolumeMessage.Action.schedule : action
        let reasonNumber = hasNoPool ? VolumeMessage.Cause.noPool : cause
        let reason = failure.map { $0.kind == .internalError ? "" : " \($0.message)" } ?? ""
        try messages.insert(
            VolumeMessage(
                id: run.id(for: "message"), projectID: subject.projectID, requestID: run.requestID,
                subject: subject.kind, subjectID: subject.id,
                eventID: "VOLUME_\(subject.kind.rawValue)_\(failed.rawValue)_\(reasonNumber.rawValue)",
                text: "\(failed.words):\(reasonNumber.words)\(reason)", createdAt: now,
                expiresAt: now + VolumeMessage.lifetime), in: tx)
    }
}

/// A workflow of volumes.
protocol VolumeWorkflow: Workflow where Needs == VolumeWorld {}

/// The input of a workflow of one volume.
protocol VolumeInput: Codable, Sendable { var volumeID: ID<Kind.Volume> { get } }

/// The state of a workflow that notes the wanted volume alone.
struct WantedState: WorkflowState { var wanted: Wanted? }

extension VolumeWorkflow where Input: VolumeInput {
    /// Returns the undo of the whole workflow: a message says why it has failed, and the volume's row is changed.
    static func whenUndone(
        _ action: VolumeMessage.Action, _ cause: VolumeMessage.Cause,
        _ change: @escaping @Sendable (inout Volume) -> Void
    ) -> WhenUndone<Self> {
        WhenUndone("accept") { _, run, tx in
            guard let volume = try run.world.undone(run.input.volumeID, in: tx) else { return }
            try run.world.tell(action, cause, about: volume, run, in: tx)
            try run.world.change(volume.id, in: tx, change)
        }
    }
}

extension Run where W.Needs == VolumeWorld {
    var world: VolumeWorld { needs }

    /// Returns the principal that asked for the workflow.
    ///
    /// - Throws: an internal error if the cloud itself started it.
    func requirePrincipal() throws -> Principal { try principal.required("principal", from: "start") }

    func fence(_ generation: Int64) -> Fence { Fence(epoch: epoch, generation: generation) }

    /// Lets a host make a flat copy of a volume or a snapshot, and returns the copy when it is whole.
    ///
    /// - Parameters:
    ///   - name: a UUID. The same name gives the same copy again.
    ///   - wanted: the volume, for its host.
    func export(
        _ source: VolumeSource, as name: String, _ format: VolumeFormat, of wanted: Wanted
    ) async throws -> DiskSnapshot {
        func look() async throws -> VolumeExport {
            try await world.hosts.export(source, as: name, format: format, on: wanted.host, fence: copyFence)
        }
        let begun = try await look()
        var last = begun
        try await world.awaitWhole(begun.progress) {
            last = try await look()
            return last.progress
        } each: {
            try follow($0)
        }
        return try last.copy.required("copy", from: "copy")
    }

    func forgetExport(_ name: String, of wanted: Wanted) async throws {
        try await world.hosts.forgetExport(name, on: wanted.host, fence: copyFence)
    }

    /// The fence of a copy. An owner that has lost the workflow has a lower epoch, and after the removal of the copy
    /// no order can make it again.
    private var copyFence: Fence { fence(1) }

    /// Makes a volume with a content on its host, and returns when it is whole.
    func fill(_ wanted: Wanted, with content: VolumeContent) async throws {
        let begun = try await world.hosts.ensure(
            wanted.spec, from: content, on: wanted.host, fence: fence(wanted.generation))
        try await awaitWhole(begun, of: wanted)
    }

    /// Waits until a volume is whole on its host, and notes how far it is.
    func awaitWhole(_ begun: VolumeProgress, of wanted: Wanted) async throws {
        try await world.awaitWhole(begun) {
            try await world.hosts.observe(wanted.spec.id, on: wanted.host)
        } each: {
            try follow($0)
        }
    }

    /// Waits until a snapshot is whole on its host, and notes how far it is.
    func awaitWhole(_ begun: VolumeProgress, of snapshot: ID<Kind.Snapshot>, on host: String) async throws {
        try await world.awaitWhole(begun) {
            try await world.hosts.observe(snapshot, on: host)
        } each: {
            try follow($0)
        }
    }

    /// Notes how far a copy is, and ends the step if the workflow was cancelled.
    func follow(_ percent: Int) throws {
        progress(done: Int64(percent), of: 100)
        try checkCancelled()
    }
}
