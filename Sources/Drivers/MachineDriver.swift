package import CloudCore
package import HostModel

/// A driver that makes machines on one host. Only the code behind this protocol knows a hypervisor.
///
/// Every call may be repeated with the same arguments and then changes nothing more. A change whose fence is older than
/// the newest one taken for its machine is refused with `conflict` (`Fence.staleCode`), also after a removal and after
/// a restart of the process. The changes of one machine are carried out one at a time, in the order in which they came.
///
/// A machine that this driver did not make is never listed, observed or changed.
package protocol MachineDriver: Sendable {
    /// The kind of driver: `libvirt` or `simulated`.
    var kind: String { get }

    func capabilities() async throws -> HostCapabilities
    func resources() async throws -> HostResources

    /// Returns all machines that exist, including those that an earlier process made.
    func list() async throws -> [ObservedMachine]
    /// Returns the machine as it is; nil if there is none.
    func observe(_ id: MachineID) async throws -> ObservedMachine?

    /// Makes the machine as `spec` says; a new machine is off. A running machine gets at once what is possible without
    /// a restart, and the rest at its next start. The bytes of existing local disks stay as they are.
    ///
    /// - Throws: `badRequest` for a machine that this driver cannot make; `unavailable` if the host cannot do it now.
    @discardableResult
    func ensure(_ spec: MachineSpec, fence: Fence) async throws -> ObservedMachine

    /// Removes the machine and every byte of its local disks. Has no effect if there is none.
    func remove(_ id: MachineID, fence: Fence) async throws

    /// Brings the machine to the wanted power state. A paused or suspended machine continues if it is to run.
    ///
    /// - Throws: `notFound`. A driver that is not `Pausing` or `Suspending` is never asked for those states.
    @discardableResult
    func setPower(_ id: MachineID, to wanted: WantedPower, fence: Fence) async throws -> ObservedMachine

    /// Restarts a running machine. Unlike every other change this happens at each call, so the caller asks once.
    ///
    /// - Throws: `notFound`; `conflict` if the machine is not running.
    @discardableResult
    func reboot(_ id: MachineID, _ kind: RebootKind, fence: Fence) async throws -> ObservedMachine

    /// Returns the last bytes that the guest wrote to its serial port, also if the machine is off.
    func consoleOutput(_ id: MachineID, mostBytes: Int) async throws -> ConsoleOutput

    /// Returns the address of the machine's screen.
    ///
    /// - Throws: `conflict` if the machine has no screen now.
    func display(_ id: MachineID) async throws -> DisplayEndpoint

    func diagnostics(_ id: MachineID) async throws -> MachineDiagnostics

    /// Returns the events from now on. Each call is a subscription of its own.
    func events() -> AsyncStream<MachineEvent>

    /// Removes what no machine needs: images in the host's cache, and files of machines that no longer exist.
    func collectGarbage() async throws
}

// The protocols below are abilities that not every driver has. A cast finds them, so that a caller knows them before it
// calls.

package protocol Pausing: MachineDriver {
    /// Pauses a running machine. Has no effect if it is paused.
    ///
    /// - Throws: `conflict` if the machine is neither running nor paused.
    @discardableResult
    func pause(_ id: MachineID, fence: Fence) async throws -> ObservedMachine
    /// Continues a paused machine. Has no effect if it is running.
    ///
    /// - Throws: `conflict` if the machine is neither paused nor running.
    @discardableResult
    func unpause(_ id: MachineID, fence: Fence) async throws -> ObservedMachine
}

package protocol Suspending: MachineDriver {
    /// Saves the memory to the disk and stops the machine. `setPower(running)` continues from there.
    @discardableResult
    func suspend(_ id: MachineID, fence: Fence) async throws -> ObservedMachine
}

package protocol Snapshotting: MachineDriver {
    /// Copies the root disk as it is at one moment, while the machine keeps running. The same snapshot id gives the
    /// same copy again.
    ///
    /// - Parameter snapshot: a UUID.
    func snapshot(_ id: MachineID, as snapshot: String, fence: Fence) async throws -> DiskSnapshot
    /// Removes the copy.
    func removeSnapshot(_ snapshot: String) async throws
}

package protocol Resizing: MachineDriver {
    /// Gives a machine that is off other CPUs, memory and larger disks.
    ///
    /// - Throws: `conflict` if the machine is not off; `badRequest` if a disk would shrink.
    @discardableResult
    func resize(to spec: MachineSpec, fence: Fence) async throws -> ObservedMachine
}

package protocol PasswordSetting: MachineDriver {
    /// Sets the password of a user in the guest.
    ///
    /// - Throws: `conflict` if no agent answers in the guest.
    func setPassword(_ password: Secret, of user: String, in id: MachineID, fence: Fence) async throws
}

package protocol InterfaceAttaching: MachineDriver {
    func attach(_ nic: NIC, to id: MachineID, fence: Fence) async throws
    /// Detaches a card. Returns when the guest has released it.
    func detachNIC(_ nic: String, from id: MachineID, fence: Fence) async throws
}

package protocol VolumeAttaching: MachineDriver {
    func attach(_ disk: Disk, to id: MachineID, fence: Fence) async throws
    /// Detaches a disk. Returns when the guest has released it; before that, the volume must not be attached elsewhere.
    func detachDisk(_ disk: String, from id: MachineID, fence: Fence) async throws
}

package protocol VolumeHolding: VolumeAttaching {
    /// Copies the bytes of a volume that a running machine has, as they are at one moment, while the guest goes on.
    ///
    /// - Parameters:
    ///   - path: the file to make, which is flat and not yet there.
    ///   - progress: is told the percentage from time to time.
    /// - Returns: whether the machine runs and has the disk. Otherwise nothing is done.
    func copyDisk(
        _ disk: String, of id: MachineID, to path: String, format: VolumeFormat,
        progress: @escaping @Sendable (Int) -> Void
    ) async throws -> Bool

    /// Makes a volume that a running machine has larger, and tells the guest.
    ///
    /// - Returns: whether the machine runs and has the disk. Otherwise nothing is done.
    func growDisk(_ disk: String, of id: MachineID, to bytes: Int64) async throws -> Bool

    /// Detaches a disk from a guest that does not release it: the guest loses the disk at once, and then its writes
    /// fail.
    func forceDetachDisk(_ disk: String, from id: MachineID, fence: Fence) async throws
}

/// A driver that pauses a machine when there is no room for what its guest writes, so that no write fails.
package protocol Stalling: MachineDriver {
    /// Continues a machine with full disks, if there is room now. Has no effect on other machines.
    @discardableResult
    func goOn(_ id: MachineID, fence: Fence) async throws -> ObservedMachine
}

package protocol Moving: MachineDriver {
    /// Returns the data that another host needs to go on with a machine that is off. The machine stays here until it is
    /// removed.
    ///
    /// - Throws: `conflict` if the machine is not off.
    func pack(_ id: MachineID, fence: Fence) async throws -> MachineLuggage

    /// Makes the machine as `spec` says, from the packed data, in the power state that it had when it was packed. An
    /// existing machine stays as it is.
    ///
    /// - Throws: `badRequest` for luggage that another kind of driver has packed.
    @discardableResult
    func unpack(_ luggage: MachineLuggage, as spec: MachineSpec, fence: Fence) async throws -> ObservedMachine
}

package protocol LiveMoving: Moving {
    /// Packs a machine that is running or paused, with its memory. From then on the machine stands still here, so that
    /// no guest runs twice, until it is removed or told what to do again.
    ///
    /// - Throws: `conflict` if the machine is neither running nor paused.
    func packLive(_ id: MachineID, fence: Fence) async throws -> MachineLuggage
}

/// The error of a guest that does not release a volume.
package enum VolumeKept {
    /// The code of the error.
    package static let code = "device_kept"

    package static func error(_ id: MachineID) -> CloudError {
        var kept = CloudError(
            .conflict, "The guest does not let go of the device.", detail: "\(id)", code: code)
        kept.isTransient = true
        return kept
    }
}

extension MachineDriver {
    package func notFound(_ id: MachineID) -> CloudError { .notFound("machine", id.text) }
}
