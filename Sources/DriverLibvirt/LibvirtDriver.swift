import CLibvirt
package import CloudCore
package import Drivers
import Foundation
package import HostModel

/// A driver for machines of QEMU, with libvirt. Guests do not end with the process: the next driver of the same folder
/// finds them.
package final class LibvirtDriver: MachineDriver {
    package let kind = "libvirt"
    let settings: LibvirtSettings
    let world: World
    let connection: LibvirtConnection
    let records: FencedRecords<HostedMachine>
    /// The host's images, which its volumes are made from, too.
    package let images: ImageCache
    let lanes = SerialKeys<MachineID>()
    let news: LibvirtNews
    let acceleration: HostCapabilities.Acceleration
    let users: GuestUsers
    /// The lane in which user ids are allocated one at a time, so that no two machines get the same.
    let userLane = SerialKeys<String>()

    var usesKVM: Bool { acceleration == .kvm }

    /// Opens the host: loads libvirt, tests KVM, and connects.
    ///
    /// - Parameter images: the source of images that the host does not have.
    /// - Throws: `unavailable` if there is no libvirt.
    package static func open(_ settings: LibvirtSettings, images: ImageSource, world: World) async throws -> LibvirtDriver {
        try DurableFile.makeFolder(settings.folder, mode: 0o711)
        // With a symbolic link in the path, two names could mean the same host.
        let short = try ShortPath.to(settings.folder)
        let root = short + "/l"
        // libvirt would make these folders with the process's umask. Guests' users must pass through them to their own
        // files.
        for folder in ["l", "l/etc", "l/lib", "l/lib/qemu", "l/lib/qemu/channel", "l/lib/qemu/nvram", "l/run", "machines"] {
            try DurableFile.makeFolder("\(settings.folder)/\(folder)", mode: 0o711)
        }
        try DurableFile.makeFolder(settings.folder + "/snapshots", mode: 0o711)
        try DurableFile.write(Data(configuration.utf8), to: settings.folder + "/l/etc/qemu.conf")
        if settings.uri == nil {
            LeftProbes.end(folder: settings.folder, root: root)
            try LibvirtNotes.correct(root: root)
        }
        let library = try LibvirtLibrary.load(log: settings.folder + "/libvirt.log")
        let news = LibvirtNews(clock: world.clock)
        let connection = LibvirtConnection(
            library, uri: settings.uri ?? "qemu:///embed?root=\(root)", threads: settings.threads, news: news)
        do {
            let folder = settings.folder
            let acceleration: HostCapabilities.Acceleration =
                switch settings.acceleration {
                case .automatic: try await connection.detached(within: .seconds(10)) { AccelerationProbe.run(folder: folder) }
                case .kvm: .kvm
                case .emulated: .emulated(reason: "by configuration")
                }
            // The embedded driver starts with the first connection, and asks QEMU for its abilities at the first
            // machine.
            try await connection.run { _ in }
            let records = try FencedRecords<HostedMachine>(folder: settings.folder + "/records", clock: world.clock)
            let cache = try ImageCache(folder: settings.folder + "/images", source: images, random: world.random)
            let users = GuestUsers.choose(usesKVM: acceleration == .kvm, folder: settings.folder, isEmbedded: settings.uri == nil)
            return LibvirtDriver(settings, world, connection, records, cache, news, acceleration, users)
        } catch {
            await connection.close()
            throw error
        }
    }

    /// The configuration of the embedded libvirt. libvirt itself runs as root, so that its findings about QEMU stay
    /// true if only root may open /dev/kvm; each guest has a user of its own by its label. A log daemon may be missing.
    /// The previous owner of a file is not remembered: it is root anyway, and a count of users that a killed process
    /// leaves behind would keep the guest from its own files.
    private static let configuration = """
        user = "root"
        group = "root"
        stdio_handler = "file"
        remember_owner = 0

        """

    private init(
        _ settings: LibvirtSettings, _ world: World, _ connection: LibvirtConnection, _ records: FencedRecords<HostedMachine>,
        _ images: ImageCache, _ news: LibvirtNews, _ acceleration: HostCapabilities.Acceleration, _ users: GuestUsers
    ) {
        self.settings = settings
        self.world = world
        self.connection = connection
        self.records = records
        self.images = images
        self.news = news
        self.acceleration = acceleration
        self.users = users
    }

    /// Closes the connection to libvirt. Machines keep running.
    package func close() async { await connection.close() }

    package func events() -> AsyncStream<MachineEvent> { news.hub.listen() }

    /// Keeps the serial logs short, until it is cancelled. Without it a guest may fill the host's disk.
    package func keep() async throws {
        while true {
            try await Task.sleep(for: .seconds(5))
            try await connection.detached(within: .seconds(60)) { [self] in
                for machine in records.all {
                    console(MachineID(machine.id)).rotate()
                    EmulatorLog(settings, MachineID(machine.id)).shorten()
                }
            }
        }
    }

    // MARK: - What is there

    package func list() async throws -> [ObservedMachine] {
        try await connection.run { [self] calls in
            let states = try Domains(calls: calls).states()
            return try records.all.map { try observed($0.id, $0.value, calls, states[$0.id]) }
        }
    }

    package func observe(_ id: MachineID) async throws -> ObservedMachine? {
        guard let machine = records.value(id.text) else { return nil }
        return try await connection.run { [self] calls in
            try observed(id.text, machine, calls, try Domains(calls: calls).state(id))
        }
    }

    private func observed(
        _ id: String, _ machine: HostedMachine, _ calls: LibvirtConnection.Calls, _ state: Domains.State?
    ) throws -> ObservedMachine {
        var found = ObservedMachine(
            id: MachineID(id), power: state?.power ?? .off, fence: records.fence(id), boots: records.value(id)?.boots ?? machine.boots,
            reason: state?.reason)
        let full = state?.fullTargets ?? []
        found.fullDisks = machine.targets.filter { full.contains($0.value) }.keys.sorted()
        return found
    }

    // MARK: - Making and removing

    @discardableResult
    package func ensure(_ spec: MachineSpec, fence: Fence) async throws -> ObservedMachine {
        try spec.check()
        try requireKnown(spec)
        return try await lanes.run(spec.id) {
            try records.admit(spec.id.text, fence, makes: true)
            try await images.with(spec.images) { paths in
                try await shape(spec, fence, paths)
            }
            return try await current(spec.id)
        }
    }

    /// Makes the machine as specified. The caller is in the machine's lane and holds its images.
    func shape(_ spec: MachineSpec, _ fence: Fence, _ paths: [ImageReference: String]) async throws {
        let old = records.value(spec.id.text)
        var machine = old ?? HostedMachine(spec: spec)
        machine.spec = spec
        machine.targets = DomainXML.targets(for: spec.asStarted, keeping: machine.targets)
        if old == nil {
            // The record is there before the folder, which would be garbage without it, and before the next machine
            // looks for a free user.
            try await userLane.run("") {
                machine.user = users.next(used: records.all.compactMap(\.value.user))
                try records.put(spec.id.text, fence, machine)
            }
        }
        let isOff = try await observe(spec.id).map { $0.power == .off || $0.power == .crashed } ?? true
        let shaped = machine
        let sizes = try await connection.run(within: .seconds(180)) { [self] calls in
            let files = MachineFiles(folder: folder(spec.id), group: shaped.user.map { users.group ?? $0 })
            let sizes = isOff ? try files.settle(shaped, paths) : shaped.sizes
            try Domains(calls: calls).define(xml(shaped))
            return sizes
        }
        machine.sizes = sizes
        try records.put(spec.id.text, fence, machine)
    }

    package func remove(_ id: MachineID, fence: Fence) async throws {
        guard id.isUUID else { return }
        try await lanes.run(id) {
            try records.admit(id.text, fence)
            news.willStop(id)
            defer { news.mayStop(id) }
            try await connection.run { [self] calls in
                try Domains(calls: calls).remove(id)
                try DurableFile.removeFolder(folder(id).path)
                EmulatorLog(settings, id).remove()
            }
            try records.remove(id.text, fence)
        }
    }

    package func collectGarbage() async throws {
        try await connection.detached(within: .seconds(120)) { [self] in
            images.removeUnused { records.all.reduce(into: []) { $0.formUnion($1.value.spec.images) } }
            for name in DurableFile.names(in: settings.folder + "/machines") where PathPart.isUUID(name) && records.value(name) == nil {
                // A machine gets its record before its folder, so this is the folder of no machine.
                try? DurableFile.removeFolder("\(settings.folder)/machines/\(name)")
            }
        }
    }

    // MARK: - What all of it shares

    func folder(_ id: MachineID) -> MachineFolder { MachineFolder(path: "\(settings.folder)/machines/\(id)") }

    func console(_ id: MachineID) -> ConsoleLog { ConsoleLog(folder: folder(id), most: settings.consoleBytes) }

    /// Returns the record of a machine.
    ///
    /// - Throws: `notFound`.
    func machine(_ id: MachineID) throws -> HostedMachine {
        guard let machine = records.value(id.text) else { throw notFound(id) }
        return machine
    }

    func current(_ id: MachineID) async throws -> ObservedMachine {
        guard let machine = try await observe(id) else { throw notFound(id) }
        return machine
    }

    /// Takes a change, and carries it out in the machine's lane.
    @discardableResult
    func change(_ id: MachineID, _ fence: Fence, _ body: (ObservedMachine) async throws -> Void) async throws -> ObservedMachine {
        try await lanes.run(id) {
            _ = try machine(id)
            try records.admit(id.text, fence)
            try await body(try await current(id))
            return try await current(id)
        }
    }

    func document(_ machine: HostedMachine) -> DomainXML {
        let spec = machine.spec.asStarted
        let folder = folder(spec.id)
        var files: [String: String] = [:]
        var bases: [String: (path: String, isQCOW2: Bool)] = [:]
        for disk in spec.disks {
            files[disk.id] = folder.file(of: disk)
            if case .image(let image, _) = disk.source { bases[disk.id] = (folder.base(of: disk), image.isQCOW2) }
        }
        return DomainXML(
            spec: spec,
            placement: .init(
                usesKVM: usesKVM, translationCacheMiB: settings.translationCacheMiB, folder: folder.path, files: files, bases: bases,
                targets: machine.targets, guestUser: machine.user, guestGroup: machine.user == nil ? nil : users.group))
    }

    func xml(_ machine: HostedMachine) throws -> String { try document(machine).text() }

    private func requireKnown(_ spec: MachineSpec) throws(CloudError) {
        guard access(Self.emulator(spec.platform.architecture), X_OK) == 0 else {
            throw .badRequest("The host cannot run machines of the architecture \(spec.platform.architecture.rawValue).")
        }
    }

    static func emulator(_ architecture: Architecture) -> String { "/usr/bin/qemu-system-\(architecture.rawValue)" }
}
