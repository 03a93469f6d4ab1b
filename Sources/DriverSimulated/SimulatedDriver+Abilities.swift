package import CloudCore
import Drivers
import Foundation
package import HostModel

extension SimulatedDriver: Pausing {
    @discardableResult
    package func pause(_ id: MachineID, fence: Fence) async throws -> ObservedMachine {
        try await move(id, fence, from: .running, to: .paused, .paused)
    }

    @discardableResult
    package func unpause(_ id: MachineID, fence: Fence) async throws -> ObservedMachine {
        try await move(id, fence, from: .paused, to: .running, .resumed)
    }

    private func move(
        _ id: MachineID, _ fence: Fence, from: PowerState, to: PowerState, _ event: MachineEvent.Kind
    ) async throws -> ObservedMachine {
        try await change(id, fence) { machine in
            guard machine.power != to else { return }
            guard machine.power == from else { throw CloudError.conflict("The machine is \(machine.power.rawValue).") }
            try host.records.update(id.text) { ($0.power, $0.fullDisks) = (to, []) }
            host.send(event, machine)
        }
    }
}

extension SimulatedDriver: Stalling {
    @discardableResult
    package func goOn(_ id: MachineID, fence: Fence) async throws -> ObservedMachine {
        try await change(id, fence) { machine in
            if !machine.fullDisks.isEmpty, host.hasRoom { try await start(machine) }
        }
    }
}

extension SimulatedDriver: Suspending {
    @discardableResult
    package func suspend(_ id: MachineID, fence: Fence) async throws -> ObservedMachine {
        try await change(id, fence) { machine in
            guard machine.power != .suspended else { return }
            guard machine.power.isUp else { throw CloudError.conflict("The machine is \(machine.power.rawValue).") }
            try host.records.update(id.text) { ($0.power, $0.fullDisks) = (.suspended, []) }
            host.send(.suspended, machine)
        }
    }
}

extension SimulatedDriver: Snapshotting {
    package func snapshot(_ id: MachineID, as snapshot: String, fence: Fence) async throws -> DiskSnapshot {
        guard PathPart.isUUID(snapshot) else { throw CloudError.badRequest("A snapshot's id must be a UUID in lower case.") }
        return try await host.makeCopy("\(snapshot).qcow2") { path in
            var bytes: Int64 = 0
            try await change(id, fence) { machine in
                guard let root = machine.spec.rootDisk, let virtual = root.virtualBytes else {
                    throw CloudError.conflict("The machine has no disk of its own.")
                }
                if machine.spec.faults.contains(.snapshotFails) {
                    throw CloudError(.unavailable, "The disk could not be copied.", detail: "simulated: snapshot-fails", code: "snapshot_failed")
                }
                bytes = virtual
                if try DurableFile.read(path) == nil { try DurableFile.write(EmptyQCOW2.image(virtualBytes: virtual), to: path) }
            }
            let size = try DurableFile.read(path)?.count ?? 0
            return DiskSnapshot(path: path, format: "qcow2", virtualBytes: bytes, sizeBytes: Int64(size))
        }
    }

    package func removeSnapshot(_ snapshot: String) async throws {
        guard PathPart.isUUID(snapshot) else { return }
        try host.removeCopy("\(snapshot).qcow2")
    }
}

extension SimulatedDriver: Resizing {
    @discardableResult
    package func resize(to spec: MachineSpec, fence: Fence) async throws -> ObservedMachine {
        try spec.check()
        return try await change(spec.id, fence) { machine in
            guard machine.power == .off else { throw CloudError.conflict("The machine is \(machine.power.rawValue).") }
            try spec.requireNoShrinking(from: machine.spec)
            try host.records.update(spec.id.text) { $0.spec = spec }
        }
    }
}

extension SimulatedDriver: LiveMoving {
    package func pack(_ id: MachineID, fence: Fence) async throws -> MachineLuggage {
        try await luggage(id, fence) { machine in
            guard !machine.power.isUp, machine.power != .suspended else { throw CloudError.conflict("The machine is \(machine.power.rawValue).") }
        }
    }

    package func packLive(_ id: MachineID, fence: Fence) async throws -> MachineLuggage {
        try await luggage(id, fence) { machine in
            guard machine.power.isUp else { throw CloudError.conflict("The machine is \(machine.power.rawValue).") }
            try host.records.update(id.text) { ($0.left, $0.power) = ($0.left ?? $0.power, .paused) }
        }
    }

    private func luggage(_ id: MachineID, _ fence: Fence, _ body: (SimulatedMachine) throws -> Void) async throws -> MachineLuggage {
        var state = Data()
        try await change(id, fence) { machine in
            try body(machine)
            guard var packed = host.records.value(id.text) else { throw notFound(id) }
            (packed.power, packed.left) = (packed.left ?? packed.power, nil)
            state = try StoredJSON.data(packed)
        }
        return MachineLuggage(driver: kind, state: state)
    }

    @discardableResult
    package func unpack(_ luggage: MachineLuggage, as spec: MachineSpec, fence: Fence) async throws -> ObservedMachine {
        try spec.check()
        guard luggage.driver == kind, let packed = try? StoredJSON.value(SimulatedMachine.self, from: luggage.state) else {
            throw CloudError.badRequest("The machine comes from a host of the kind \(luggage.driver).")
        }
        return try await host.lanes.run(spec.id) {
            try host.requireReach()
            guard host.records.value(spec.id.text) == nil else {
                try host.records.admit(spec.id.text, fence)
                try host.records.update(spec.id.text) { $0.spec = spec }
                return try current(spec.id)
            }
            var machine = packed
            machine.spec = spec
            try await host.work(machine)
            try host.records.put(spec.id.text, fence, machine)
            host.send(.defined, machine)
            return try current(spec.id)
        }
    }
}

extension SimulatedDriver: PasswordSetting {
    package func setPassword(_ password: Secret, of user: String, in id: MachineID, fence: Fence) async throws {
        try await change(id, fence) { machine in
            guard machine.power == .running, machine.spec.hardware.hasGuestAgent else {
                throw CloudError.conflict("No agent answers in the guest.")
            }
        }
    }
}

extension SimulatedDriver: InterfaceAttaching {
    package func attach(_ nic: NIC, to id: MachineID, fence: Fence) async throws {
        try await reshape(id, fence) { spec in
            spec.nics.removeAll { $0.id == nic.id }
            spec.nics.append(nic)
        }
    }

    package func detachNIC(_ nic: String, from id: MachineID, fence: Fence) async throws {
        try await reshape(id, fence) { spec in spec.nics.removeAll { $0.id == nic } }
    }
}

extension SimulatedDriver: VolumeHolding {
    package func attach(_ disk: Disk, to id: MachineID, fence: Fence) async throws {
        try await reshape(id, fence) { spec in
            spec.disks.removeAll { $0.id == disk.id }
            spec.disks.append(disk)
        }
    }

    package func detachDisk(_ disk: String, from id: MachineID, fence: Fence) async throws {
        if let machine = host.records.value(id.text), machine.power.isUp, machine.spec.faults.contains(.keepsDisks) {
            throw VolumeKept.error(id)
        }
        try await forceDetachDisk(disk, from: id, fence: fence)
    }

    package func forceDetachDisk(_ disk: String, from id: MachineID, fence: Fence) async throws {
        try await reshape(id, fence) { spec in spec.disks.removeAll { $0.id == disk } }
    }

    /// Returns false: a simulated volume driver keeps the bytes itself.
    package func copyDisk(
        _ disk: String, of id: MachineID, to path: String, format: VolumeFormat,
        progress: @escaping @Sendable (Int) -> Void
    ) async throws -> Bool { false }

    package func growDisk(_ disk: String, of id: MachineID, to bytes: Int64) async throws -> Bool { false }

    private func reshape(_ id: MachineID, _ fence: Fence, _ shape: (inout MachineSpec) -> Void) async throws {
        try await change(id, fence) { machine in
            var spec = machine.spec
            shape(&spec)
            try spec.check()
            let changed = spec
            try host.records.update(id.text) { $0.spec = changed }
        }
    }
}

/// An empty qcow2 image, which serves as the copy of a simulated disk. Readers of images accept it like any other.
enum EmptyQCOW2 {
    private static let cluster = 65_536

    static func image(virtualBytes: Int64) -> Data {
        // The header, the table of reference counts and the reference counts take one cluster each. The L1 table
        // follows; each of its entries stands for 512 MiB.
        let entries = Int((virtualBytes + (512 << 20) - 1) / (512 << 20))
        let clustersOfL1 = (entries * 8 + cluster - 1) / cluster
        var image = Data(count: (3 + clustersOfL1) * cluster)
        func put<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
            withUnsafeBytes(of: value.bigEndian) { image.replaceSubrange(offset..<offset + $0.count, with: $0) }
        }
        put(UInt32(0x5146_49fb), at: 0)  // "QFI\xfb"
        put(UInt32(3), at: 4)
        put(UInt32(16), at: 20)  // bits of a cluster
        put(UInt64(virtualBytes), at: 24)
        put(UInt32(entries), at: 36)
        put(UInt64(3 * cluster), at: 40)
        put(UInt64(cluster), at: 48)
        put(UInt32(1), at: 56)
        put(UInt32(4), at: 96)  // bits of a reference count: 16
        put(UInt32(104), at: 100)
        put(UInt64(2 * cluster), at: cluster)
        for at in 0..<3 + clustersOfL1 { put(UInt16(1), at: 2 * cluster + at * 2) }
        return image
    }
}
