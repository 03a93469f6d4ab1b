package import CloudCore
package import Drivers
package import HostModel
import TestSupport

/// A volume driver under test, and the means to read and write its volumes as a guest does.
package struct VolumeSubject: Sendable {
    package var driver: any VolumeDriver
    /// The pool in which the checks make volumes.
    package var pool: String
    /// Another pool of the host; nil if it has none.
    package var otherPool: String?
    /// Opens the driver as a new process finds the host.
    package var restarted: @Sendable () async throws -> any VolumeDriver
    /// Writes bytes at an offset.
    package var write: @Sendable (VolumePath, Int64, [UInt8]) async throws -> Void
    /// Returns bytes that were written at the offset with one call, or zeros.
    package var read: @Sendable (VolumePath, Int64, Int) async throws -> [UInt8]
    /// An image, and the bytes at its beginning; nil if the driver fetches none.
    package var image: (reference: ImageReference, bytes: [UInt8])?
    /// Makes the process end, as it seems to the driver, before the step with this number, counted from now on; nil
    /// for never. Returns the number of steps since the last call. Nil for a driver whose changes have no steps.
    package var crash: (@Sendable (Int?) -> Int)?
    /// Whether the process has ended, as it seems to the driver.
    package var hasCrashed: @Sendable () -> Bool = { false }
    /// Returns the files of the driver that are nobody's.
    package var leftovers: (@Sendable () throws -> [String])?
    /// Puts a file into the pool that could become a volume, and returns its name.
    package var stranger: (@Sendable ([UInt8], Int64) throws -> String)?
    package let world: World

    package init(
        driver: any VolumeDriver, pool: String, world: World,
        restarted: @escaping @Sendable () async throws -> any VolumeDriver,
        write: @escaping @Sendable (VolumePath, Int64, [UInt8]) async throws -> Void,
        read: @escaping @Sendable (VolumePath, Int64, Int) async throws -> [UInt8]
    ) {
        self.driver = driver
        self.pool = pool
        self.world = world
        self.restarted = restarted
        self.write = write
        self.read = read
    }
}

/// One rule that every volume driver must keep. The check works on its own volumes and leaves none behind.
package struct VolumeDriverCheck: Sendable, CustomStringConvertible {
    package let name: String
    private let restarts: Bool
    private let body: @Sendable (VolumeTrial) async throws -> Void

    /// - Parameter restarts: whether the body starts and ends the driver's background work itself.
    init(_ name: String, restarts: Bool = false, _ body: @escaping @Sendable (VolumeTrial) async throws -> Void) {
        self.name = name
        self.restarts = restarts
        self.body = body
    }

    package var description: String { name }

    /// Runs the check.
    ///
    /// - Returns: false if the driver lacks the ability.
    @discardableResult
    package func run(on subject: VolumeSubject) async throws -> Bool {
        let trial = VolumeTrial(subject)
        return try await trial.run {
            if restarts { try await body(trial) } else { try await trial.alive { try await body(trial) } }
        }
    }
}

/// The volumes of one check, and their fences.
struct VolumeTrial: CheckTrial {
    static let checks = "VolumeChecks"
    let subject: VolumeSubject
    let machine: MachineID
    private let current: Box<any VolumeDriver>
    private let count = Box<Int64>(0)
    private let made = Box<[VolumeID]>([])
    private let taken = Box<[SnapshotID]>([])

    static let bytes: Int64 = 8 << 20

    init(_ subject: VolumeSubject) {
        self.subject = subject
        current = Box(subject.driver)
        machine = MachineID(subject.world.random.uuid())
    }

    var driver: any VolumeDriver { current.value }

    /// Returns the fence of the next change.
    func next() -> Fence {
        count.update { $0 += 1 }
        return Fence(epoch: 1, generation: count.value)
    }

    var last: Fence { Fence(epoch: 1, generation: count.value) }

    func epoch() -> Int64 { next().generation }

    /// Runs the driver's background work beside the body.
    func alive<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            let driver = driver
            group.addTask {
                try? await driver.keep()
                return nil
            }
            group.addTask { try await body() }
            defer { group.cancelAll() }
            while let value = try await group.next() {
                if let value { return value }
            }
            throw CancellationError()
        }
    }

    /// Goes on with a new process.
    func restart() async throws {
        let driver = try await subject.restarted()
        current.update { $0 = driver }
    }

    /// Returns a specification of a new volume.
    func spec(_ bytes: Int64 = VolumeTrial.bytes, format: VolumeFormat = .raw, isThin: Bool = true) -> VolumeSpec {
        let id = VolumeID(subject.world.random.uuid())
        made.update { $0.append(id) }
        return VolumeSpec(id: id, pool: subject.pool, bytes: bytes, format: format, isThin: isThin)
    }

    func snapshotID() -> SnapshotID {
        let id = SnapshotID(subject.world.random.uuid())
        taken.update { $0.append(id) }
        return id
    }

    /// Makes a volume, and returns it when it is whole.
    @discardableResult
    func whole(_ spec: VolumeSpec, from content: VolumeContent = .nothing, line: Int = #line) async throws -> VolumeID {
        try await driver.ensure(spec, from: content, fence: next())
        try await isWhole(spec.id, line: line)
        return spec.id
    }

    func isWhole(_ id: VolumeID, line: Int = #line) async throws {
        try await isWhole("volume \(id)", line: line) { try await driver.observe(id)?.progress }
    }

    private func isWhole(_ what: String, line: Int, _ observe: () async throws -> VolumeProgress?) async throws {
        try await eventually("\(what) of line \(line)", within: .seconds(60)) {
            if subject.hasCrashed() { throw CancellationError() }
            let progress = try await observe()
            if case .failed(let problem) = progress { throw NotConforming(description: "line \(line): \(problem)") }
            return progress == .whole
        }
    }

    /// Takes a snapshot, and returns it when it is whole.
    func snapshot(of volume: VolumeID, line: Int = #line) async throws -> SnapshotID {
        let id = snapshotID()
        try await driver.snapshot(id, of: volume, fence: next())
        try await isWhole(id, line: line)
        return id
    }

    func isWhole(_ id: SnapshotID, line: Int = #line) async throws {
        try await isWhole("snapshot \(id)", line: line) { try await driver.observe(id)?.progress }
    }

    /// The pattern that checks write: no zeros.
    func pattern(_ seed: UInt8, _ count: Int = 4096) -> [UInt8] { Self.pattern(seed, count) }

    static func pattern(_ seed: UInt8, _ count: Int = 4096) -> [UInt8] {
        (0..<count).map { UInt8($0 % 199) &+ seed | 1 }
    }

    /// Connects the volume to a machine, which is the check's own if none is named.
    func connect(
        _ id: VolumeID, to other: MachineID? = nil, epoch: Int64, isShared: Bool = false
    ) async throws -> VolumePath {
        let connection = VolumeConnection(machine: other ?? machine, epoch: epoch, isShared: isShared)
        return try await driver.connect(id, connection)
    }

    /// Connects the volume for a moment.
    func using<Value>(_ id: VolumeID, _ body: (VolumePath) async throws -> Value) async throws -> Value {
        let epoch = epoch()
        let path = try await driver.connect(id, VolumeConnection(machine: machine, epoch: epoch))
        let result: Result<Value, any Error>
        do { result = .success(try await body(path)) } catch { result = .failure(error) }
        try await driver.disconnect(id, from: machine, epoch: epoch)
        return try result.get()
    }

    /// The places at which checks write: the beginning, the middle and the end of a small volume.
    static let places: [Int64] = [0, bytes / 2, bytes - 4096]

    func write(_ seed: UInt8, to id: VolumeID, at places: [Int64] = VolumeTrial.places) async throws {
        try await using(id) { path in for place in places { try await subject.write(path, place, pattern(seed)) } }
    }

    func expect(
        _ id: VolumeID, has seed: UInt8?, at places: [Int64] = VolumeTrial.places, line: Int = #line
    ) async throws {
        let wanted = seed.map { pattern($0) } ?? [UInt8](repeating: 0, count: 4096)
        try await using(id) { path in
            for place in places {
                let found = try await subject.read(path, place, wanted.count)
                try expect(found == wanted, "at \(place): \(found.prefix(8)) and not \(wanted.prefix(8))", line: line)
            }
        }
    }

    func clean() async {
        let late = Fence(epoch: 1_000_000, generation: 1_000_000)
        for id in made.value {
            for connection in (try? await driver.observe(id)?.connections) ?? [] {
                try? await driver.disconnect(id, from: connection.machine, epoch: connection.epoch)
            }
            try? await driver.remove(id, fence: late)
        }
        for id in taken.value { try? await driver.removeSnapshot(id, fence: late) }
    }
}
