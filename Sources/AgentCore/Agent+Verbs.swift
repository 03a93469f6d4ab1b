import CloudCore
import Drivers
import HostModel

extension Agent {
    /// Carries out a request. The caller has entered the machine's lane and taken the fence.
    func perform(_ request: AgentRequest) async throws -> AgentReply {
        let (id, fence) = (request.machine, request.fence)
        switch request.verb {
        case .ensure(let spec, let power):
            guard spec.id == id else { throw CloudError.badRequest("The specification is another machine's.") }
            try spec.check()
            try await requireConnections(spec)
            try await plugDifference(to: spec, fence)
            var wanted = desired.value(id.text) ?? DesiredMachine(spec: spec)
            // If a host is told to remove a machine and later to have it again, it makes it anew: the fence is newer.
            wanted.isRemoving = false
            wanted.spec = spec
            if let power { (wanted.power, wanted.isSettled) = (power, wanted.isSettled && wanted.power == power) }
            try desired.put(id.text, fence, wanted)
            return .machine(try await converge(id, fence))
        case .remove:
            try desired.update(id.text) { $0.isRemoving = true }
            try await finishRemoval(id, fence)
            return .gone
        case .power(let power):
            try await require(id)
            try desired.update(id.text) { ($0.power, $0.isSettled) = (power, false) }
            return .machine(try await converge(id, fence))
        case .reboot(let kind):
            try await require(id)
            // A reboot must not be repeated, and the machine's state does not show whether it has happened.
            if desired.value(id.text)?.done.contains(request.id) == true { return try await answer(.observe(id)) }
            return .machine(try await reboot(id, kind, request.id, fence))
        case .resize(let spec):
            try await require(id)
            let machine = try await able((any Resizing).self, "resize machines").resize(to: spec, fence: fence)
            try desired.update(id.text) { $0.spec = spec }
            return .machine(machine)
        case .pack(let isLive): return .luggage(try await pack(id, isLive: isLive, fence))
        case .unpack(let luggage, let spec):
            guard spec.id == id else { throw CloudError.badRequest("The specification is another machine's.") }
            return .machine(try await unpack(luggage, spec, fence))
        case .snapshot(let snapshot):
            return .snapshot(try await able((any Snapshotting).self, "copy disks").snapshot(id, as: snapshot, fence: fence))
        case .setPassword(let password, let user):
            try await able((any PasswordSetting).self, "set passwords").setPassword(password.secret, of: user, in: id, fence: fence)
            return .done
        case .attachNIC, .detachNIC, .attachDisk, .detachDisk: return try await plug(request)
        }
    }

    private func pack(_ id: MachineID, isLive: Bool, _ fence: Fence) async throws -> MachineLuggage {
        try await require(id)
        guard isLive else { return try await able((any Moving).self, "give machines away").pack(id, fence: fence) }
        let luggage = try await able((any LiveMoving).self, "give running machines away").packLive(id, fence: fence)
        // If the host restarts at this moment, it must not start the guest that continues elsewhere.
        try desired.update(id.text) { ($0.power, $0.isSettled) = (nil, false) }
        return luggage
    }

    /// Makes a machine from luggage. The driver works first: `keep` would make a machine that is only recorded as
    /// wanted, without the luggage.
    private func unpack(_ luggage: MachineLuggage, _ spec: MachineSpec, _ fence: Fence) async throws -> ObservedMachine {
        let machine = try await able((any Moving).self, "take machines of others").unpack(luggage, as: spec, fence: fence)
        var wanted = desired.value(spec.id.text) ?? DesiredMachine(spec: spec)
        (wanted.isRemoving, wanted.spec, wanted.isSettled) = (false, spec, true)
        wanted.power = machine.power == .running ? .running : machine.power == .paused ? .paused : nil
        try desired.put(spec.id.text, fence, wanted)
        return machine
    }

    /// Restarts a machine. The reboot is recorded with the number of starts before it. A reboot that is interrupted
    /// between its stop and its start continues with the start, and one that is repeated after both does nothing.
    private func reboot(_ id: MachineID, _ kind: RebootKind, _ request: String, _ fence: Fence) async throws -> ObservedMachine {
        guard let found = try await driver.observe(id) else { throw driver.notFound(id) }
        let begun = desired.value(id.text)?.reboot
        if begun?.request != request {
            guard kind == .hard || found.power == .running else { throw CloudError.conflict("The machine is \(found.power.rawValue).") }
            try desired.update(id.text) { wanted in
                wanted.reboot = .init(request: request, boots: found.boots)
                (wanted.power, wanted.isSettled) = (.running, false)
            }
        }
        let machine: ObservedMachine
        if let begun, begun.request == request, begun.boots < found.boots {
            machine = try await driver.setPower(id, to: .running, fence: fence)
        } else if found.power == .running {
            machine = try await driver.reboot(id, kind, fence: fence)
        } else {
            // Saved memory and a crashed kernel are discarded.
            try await driver.setPower(id, to: .off, fence: fence)
            machine = try await driver.setPower(id, to: .running, fence: fence)
        }
        try desired.update(id.text) { ($0.power, $0.isSettled) = (.running, true) }
        return machine
    }

    /// Attaches and detaches the devices that a running machine can change at once; the driver's `ensure` leaves them
    /// to the next start.
    private func plugDifference(to spec: MachineSpec, _ fence: Fence) async throws {
        let id = spec.id
        guard let old = desired.value(id.text)?.spec, old != spec, let power = try await driver.observe(id)?.power,
            power == .running || power == .paused
        else { return }
        if let driver = driver as? any InterfaceAttaching {
            for nic in old.nics where !spec.nics.contains(where: { $0.id == nic.id }) {
                try await driver.detachNIC(nic.id, from: id, fence: fence)
            }
            for nic in spec.nics where !old.nics.contains(where: { $0.id == nic.id }) { try await driver.attach(nic, to: id, fence: fence) }
        }
        if let driver = driver as? any VolumeAttaching {
            for disk in old.disks where !disk.isLocal && !spec.disks.contains(where: { $0.id == disk.id }) {
                try await driver.detachDisk(disk.id, from: id, fence: fence)
            }
            for disk in spec.disks where !disk.isLocal && !old.disks.contains(where: { $0.id == disk.id }) {
                try await driver.attach(disk, to: id, fence: fence)
            }
        }
    }

    /// Attaches or detaches a device. The driver works first: the wish is recorded only if it could be met.
    private func plug(_ request: AgentRequest) async throws -> AgentReply {
        let (id, fence) = (request.machine, request.fence)
        try await require(id)
        switch request.verb {
        case .attachNIC(let nic):
            try await able((any InterfaceAttaching).self, "attach network cards").attach(nic, to: id, fence: fence)
            try desired.update(id.text) { wanted in
                wanted.spec.nics.removeAll { $0.id == nic.id }
                wanted.spec.nics.append(nic)
            }
        case .detachNIC(let nic):
            try await able((any InterfaceAttaching).self, "attach network cards").detachNIC(nic, from: id, fence: fence)
            try desired.update(id.text) { wanted in wanted.spec.nics.removeAll { $0.id == nic } }
        case .attachDisk(let disk):
            try await requireConnection(disk, id)
            try await able((any VolumeAttaching).self, "attach volumes").attach(disk, to: id, fence: fence)
            try desired.update(id.text) { wanted in
                wanted.spec.disks.removeAll { $0.id == disk.id }
                wanted.spec.disks.append(disk)
            }
        case .detachDisk(let disk):
            try await able((any VolumeAttaching).self, "attach volumes").detachDisk(disk, from: id, fence: fence)
            try desired.update(id.text) { wanted in wanted.spec.disks.removeAll { $0.id == disk } }
        default: break
        }
        return .done
    }

    /// Makes the machine as wanted, and brings it once to the wanted power state.
    func converge(_ id: MachineID, _ fence: Fence) async throws -> ObservedMachine {
        guard let wanted = desired.value(id.text) else { throw driver.notFound(id) }
        var machine = try await driver.ensure(wanted.spec, fence: fence)
        guard let power = wanted.power, !wanted.isSettled else { return machine }
        switch power {
        case .running, .off: machine = try await driver.setPower(id, to: power, fence: fence)
        case .paused:
            // A guest that was paused when its host restarted begins with a new start.
            if machine.power == .off || machine.power == .crashed { try await driver.setPower(id, to: .running, fence: fence) }
            machine = try await able((any Pausing).self, "pause machines").pause(id, fence: fence)
        case .suspended: machine = try await able((any Suspending).self, "suspend machines").suspend(id, fence: fence)
        }
        try desired.update(id.text) { $0.isSettled = true }
        return machine
    }

    func finishRemoval(_ id: MachineID, _ fence: Fence) async throws {
        try await driver.remove(id, fence: fence)
        // This comes last: until then, a restart finds that the machine is to be removed.
        try desired.remove(id.text, fence)
        hub.send(.gone(host, id))
    }

    private func require(_ id: MachineID) async throws {
        guard let wanted = desired.value(id.text), !wanted.isRemoving else { throw driver.notFound(id) }
    }

    func able<Ability>(_ type: Ability.Type, _ what: String) throws(CloudError) -> Ability {
        guard let able = driver as? Ability else {
            throw CloudError(.notImplemented, "The host cannot \(what).", detail: driver.kind, code: "not_supported")
        }
        return able
    }
}
