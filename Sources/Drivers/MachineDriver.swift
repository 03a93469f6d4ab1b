package import CloudCore
package import HostModel

/// Makes machines on one host. The only code that knows a hypervisor lies behind it.
///
/// Every call may be made again with the same arguments and then changes nothing more. A change whose fence is older than the
/// newest one taken for its machine is refused with `conflict` (`Fence.staleCode`); that holds after a removal and after a restart
/// of the process. Changes of one machine are carried out one at a time, in the order they came in.
///
/// A machine that this driver did not make is never listed, observed or changed.
package protocol MachineDriver: Sendable {
    /// `libvirt`, `simulated`.
    var kind: String { get }

    func capabilities() async throws -> HostCapabilities
    func resources() async throws -> HostResources

    /// All machines that are there, with those that a process before this one made.
    func list() async throws -> [ObservedMachine]
    /// Nil when there is none.
    func observe(_ id: MachineID) async throws -> ObservedMachine?

    /// The machine is there and is as `spec` says; one that is new is off. A running machine gets what can be had without a
    /// restart at once, the rest at its next start. The bytes of local disks that are there stay as they are.
    ///
    /// - Throws: `badRequest` for what this driver cannot make; `unavailable` when the host cannot now.
    @discardableResult
    func ensure(_ spec: MachineSpec, fence: Fence) async throws -> ObservedMachine

    /// Neither the machine nor a byte of its local disks is there any longer. Without effect when there is none.
    func remove(_ id: MachineID, fence: Fence) async throws

    /// Has the machine do what is wanted. A machine that is paused or suspended goes on when it is to run.
    ///
    /// - Throws: `notFound`. A driver that is not `Pausing` or `Suspending` is never asked for that.
    @discardableResult
    func setPower(_ id: MachineID, to wanted: WantedPower, fence: Fence) async throws -> ObservedMachine

    /// Starts a running machine again. Unlike every other change it happens at each call, so the caller asks once.
    ///
    /// - Throws: `notFound`; `conflict` when it is not running.
    @discardableResult
    func reboot(_ id: MachineID, _ kind: RebootKind, fence: Fence) async throws -> ObservedMachine

    /// The last bytes that the guest wrote to its serial port, also of a machine that is off.
    func consoleOutput(_ id: MachineID, mostBytes: Int) async throws -> ConsoleOutput

    /// - Throws: `conflict` when the machine has no screen now.
    func display(_ id: MachineID) async throws -> DisplayEndpoint

    func diagnostics(_ id: MachineID) async throws -> MachineDiagnostics

    /// What happens from now on. Each call is a subscription of its own.
    func events() -> AsyncStream<MachineEvent>

    /// Removes what no machine needs: images in the host's cache, files of machines that are gone.
    func collectGarbage() async throws
}

// What follows are the abilities that not every driver has. They are found by a cast, so that a plan knows what there is
// before it calls.

package protocol Pausing: MachineDriver {
    /// - Throws: `conflict` when the machine is neither running nor paused.
    @discardableResult
    func pause(_ id: MachineID, fence: Fence) async throws -> ObservedMachine
    /// - Throws: `conflict` when the machine is neither paused nor running.
    @discardableResult
    func unpause(_ id: MachineID, fence: Fence) async throws -> ObservedMachine
}

package protocol Suspending: MachineDriver {
    /// The memory goes to the disk and the machine stops. `setPower(running)` goes on from there.
    @discardableResult
    func suspend(_ id: MachineID, fence: Fence) async throws -> ObservedMachine
}

package protocol Snapshotting: MachineDriver {
    /// Copies the root disk as it is at one moment, while the machine runs on. The same snapshot id gives the same copy again.
    ///
    /// - Parameter snapshot: a UUID.
    func snapshot(_ id: MachineID, as snapshot: String, fence: Fence) async throws -> DiskSnapshot
    /// The copy is not there any longer.
    func removeSnapshot(_ snapshot: String) async throws
}

package protocol Resizing: MachineDriver {
    /// Gives a machine that is off other CPUs, memory and larger disks.
    ///
    /// - Throws: `conflict` when it is not off; `badRequest` when a disk would shrink.
    @discardableResult
    func resize(to spec: MachineSpec, fence: Fence) async throws -> ObservedMachine
}

package protocol PasswordSetting: MachineDriver {
    /// - Throws: `conflict` when no agent answers in the guest.
    func setPassword(_ password: Secret, of user: String, in id: MachineID, fence: Fence) async throws
}

package protocol InterfaceAttaching: MachineDriver {
    func attach(_ nic: NIC, to id: MachineID, fence: Fence) async throws
    /// Returns when the guest has let go of it.
    func detachNIC(_ nic: String, from id: MachineID, fence: Fence) async throws
}

package protocol VolumeAttaching: MachineDriver {
    func attach(_ disk: Disk, to id: MachineID, fence: Fence) async throws
    /// Returns when the guest has let go of it: before that nobody else may be given the volume.
    func detachDisk(_ disk: String, from id: MachineID, fence: Fence) async throws
}

package protocol Moving: MachineDriver {
    /// All that another host needs to go on with a machine that is off. The machine stays here until it is removed.
    ///
    /// - Throws: `conflict` when it is not off.
    func pack(_ id: MachineID, fence: Fence) async throws -> MachineLuggage

    /// The machine is there as `spec` says, with what was packed, and does what it did then. One that is there already stays as it is.
    ///
    /// - Throws: `badRequest` for what another kind of driver has packed.
    @discardableResult
    func unpack(_ luggage: MachineLuggage, as spec: MachineSpec, fence: Fence) async throws -> ObservedMachine
}

package protocol LiveMoving: Moving {
    /// The same of a machine that runs or is paused, with its memory. From then on it stands still here, so that no guest runs twice,
    /// until it is removed or told what to do again.
    ///
    /// - Throws: `conflict` when it neither runs nor is paused.
    func packLive(_ id: MachineID, fence: Fence) async throws -> MachineLuggage
}

extension MachineDriver {
    package func notFound(_ id: MachineID) -> CloudError { .notFound("machine", id.text) }
}
