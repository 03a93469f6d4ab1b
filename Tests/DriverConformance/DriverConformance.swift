package import CloudCore
package import Drivers
package import HostModel
import TestSupport

/// The error of a driver that breaks a rule for all drivers.
package struct NotConforming: Error, CustomStringConvertible {
    package let description: String
}

/// A driver under test, and the facts about its guests that the suite needs.
package struct DriverSubject: Sendable {
    package var driver: any MachineDriver
    /// Opens the driver as a new process finds the host; nil if a separate test covers that.
    package var restarted: (@Sendable () async throws -> any MachineDriver)?
    /// Returns a machine that can start.
    package var spec: @Sendable (MachineID) -> MachineSpec
    /// The text that a guest writes to its serial port when it is up.
    package var greeting: String
    /// The longest time that a guest's start may take on a busy machine.
    package var patience: Duration
    /// Whether guests react to a request to stop.
    package var guestsListen = true
    /// The world. Its random ids keep the machines apart from those of other tests on the same host.
    package let world: World

    package init(
        driver: any MachineDriver, greeting: String, patience: Duration = .seconds(120), world: World,
        spec: @escaping @Sendable (MachineID) -> MachineSpec
    ) {
        self.driver = driver
        self.greeting = greeting
        self.patience = patience
        self.world = world
        self.spec = spec
    }
}

/// One rule that every driver must keep. The check works on its own machines and leaves none behind.
package struct DriverCheck: Sendable, CustomStringConvertible {
    package let name: String
    /// Whether the check is about several hosts: a driver whose host is the only one need not pass it.
    package let isAboutOtherHosts: Bool
    let body: @Sendable (DriverTrial) async throws -> Void

    init(_ name: String, isAboutOtherHosts: Bool = false, _ body: @escaping @Sendable (DriverTrial) async throws -> Void) {
        self.name = name
        self.isAboutOtherHosts = isAboutOtherHosts
        self.body = body
    }

    package var description: String { name }

    /// Runs the check.
    ///
    /// - Returns: false if the driver lacks the ability.
    @discardableResult
    package func run(on subject: DriverSubject) async throws -> Bool {
        let trial = DriverTrial(subject)
        return try await trial.run { try await body(trial) }
    }
}

/// The machine of one check, and its fences.
struct DriverTrial: CheckTrial {
    static let checks = "DriverConformance"
    let subject: DriverSubject
    let id: MachineID
    private let generation = Box<Int64>(0)

    init(_ subject: DriverSubject) {
        self.subject = subject
        id = MachineID(subject.world.random.uuid())
    }

    var driver: any MachineDriver { subject.driver }
    var spec: MachineSpec { subject.spec(id) }

    /// Returns the fence of the next change.
    func next() -> Fence {
        generation.update { $0 += 1 }
        return last
    }

    var last: Fence { Fence(epoch: 1, generation: generation.value) }

    func clean() async { try? await driver.remove(id, fence: Fence(epoch: 1_000_000, generation: 1_000_000)) }

    /// Makes and starts the machine, and returns it once its guest is up.
    func started() async throws -> ObservedMachine {
        try await driver.ensure(spec, fence: next())
        let machine = try await driver.setPower(id, to: .running, fence: next())
        try await guestIsUp()
        return machine
    }

    func guestIsUp(times: Int = 1) async throws {
        try await eventually("\(subject.greeting), \(times) times", within: subject.patience) {
            let text = try await driver.consoleOutput(id, mostBytes: 1 << 20).text()
            return text.ranges(of: subject.greeting).count >= times
        }
    }

    func power(is power: PowerState) async throws {
        try await eventually("the machine \(power.rawValue)", within: subject.patience) {
            try await driver.observe(id)?.power == power
        }
    }
}
