import CLibvirt
package import CloudCore
import Drivers
import Foundation
package import HostModel

extension LibvirtDriver {
    @discardableResult
    package func setPower(_ id: MachineID, to wanted: WantedPower, fence: Fence) async throws -> ObservedMachine {
        switch wanted {
        case .running: try await change(id, fence) { try await start($0, fence) }
        case .off(let grace): try await change(id, fence) { try await stop($0, graceSeconds: grace) }
        case .paused: try await pause(id, fence: fence)
        case .suspended: try await suspend(id, fence: fence)
        }
    }

    @discardableResult
    package func reboot(_ id: MachineID, _ kind: RebootKind, fence: Fence) async throws -> ObservedMachine {
        try await change(id, fence) { machine in
            guard machine.power == .running else { throw CloudError.conflict("The machine is \(machine.power.rawValue).") }
            try await stop(machine, graceSeconds: kind == .soft ? 60 : 0)
            try await start(try await current(id), fence)
        }
    }

    func start(_ found: ObservedMachine, _ fence: Fence) async throws {
        let id = found.id
        switch found.power {
        case .running: return
        case .paused:
            try await connection.run { calls in
                try Domains(calls: calls).with(id) { _ = try calls.check("resume \(id)", calls.functions.virDomainResume($0)) }
            }
        case .suspended:
            try await connection.run(within: .seconds(600)) { [self] calls in
                openImages(forMemoryOf: id)
                try Domains(calls: calls).create(id)
            }
        case .off, .crashed:
            let spec = try machine(id).spec
            // The definition is made anew: changes that came while the machine ran, and changes in a newer version of
            // this program, take effect now.
            try await images.with(spec.images) { paths in
                try await shape(spec, fence, paths)
                try await connection.run { [self] calls in
                    console(id).rotate()
                    // The start is counted first: a start whose answer is lost was a start.
                    try records.update(id.text) { $0.boots += 1 }
                    try Domains(calls: calls).create(id)
                }
            }
        }
    }

    /// Lets guests pass through the folder of all images until the next start of the process, if the machine needs it:
    /// memory that release 0.1 has saved names the images under its disks by their paths there.
    private func openImages(forMemoryOf id: MachineID) {
        let images = settings.folder + "/images"
        let memory = FileHandle(forReadingAtPath: "\(settings.folder)/l/lib/qemu/save/\(id).save")
        // The definition of the machine stands at the beginning.
        let head = try? memory?.read(upToCount: 256 << 10)
        if head?.range(of: Data((images + "/").utf8)) != nil { chmod(images, 0o711) }
    }

    private func stop(_ found: ObservedMachine, graceSeconds: Int) async throws {
        let id = found.id
        news.willStop(id)
        defer { news.mayStop(id) }
        switch found.power {
        case .off, .crashed: try await connection.run { try Domains(calls: $0).destroy(id) }
        case .suspended: try await connection.run { try Domains(calls: $0).forgetMemory(id) }
        case .running, .paused:
            if graceSeconds > 0, found.power == .running { try await ask(id, graceSeconds) }
            try await connection.run { try Domains(calls: $0).destroy(id) }
        }
    }

    /// Presses the power button every ten seconds, because a guest that is just starting ignores the first press.
    private func ask(_ id: MachineID, _ graceSeconds: Int) async throws {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(graceSeconds)
        var nextPress = clock.now
        while clock.now < end {
            let presses = clock.now >= nextPress
            if presses { nextPress = clock.now + .seconds(10) }
            let isUp = try await connection.run { calls in
                let domains = Domains(calls: calls)
                guard try domains.state(id)?.isActive == true else { return false }
                // A guest that ignores it is stopped at the end.
                if presses { try domains.with(id) { _ = calls.functions.virDomainShutdown($0) } }
                return true
            }
            guard isUp else { return }
            try await clock.sleep(for: .milliseconds(100))
        }
    }
}

extension LibvirtDriver: Pausing {
    @discardableResult
    package func pause(_ id: MachineID, fence: Fence) async throws -> ObservedMachine {
        try await change(id, fence) { machine in
            guard machine.power != .paused else { return }
            guard machine.power == .running else { throw CloudError.conflict("The machine is \(machine.power.rawValue).") }
            try await connection.run { calls in
                try Domains(calls: calls).with(id) { _ = try calls.check("pause \(id)", calls.functions.virDomainSuspend($0)) }
            }
        }
    }

    @discardableResult
    package func unpause(_ id: MachineID, fence: Fence) async throws -> ObservedMachine {
        try await change(id, fence) { machine in
            guard machine.power != .running else { return }
            guard machine.power == .paused else { throw CloudError.conflict("The machine is \(machine.power.rawValue).") }
            try await start(machine, fence)
        }
    }
}

extension LibvirtDriver: Suspending {
    @discardableResult
    package func suspend(_ id: MachineID, fence: Fence) async throws -> ObservedMachine {
        try await change(id, fence) { machine in
            guard machine.power != .suspended else { return }
            guard machine.power == .running || machine.power == .paused else {
                throw CloudError.conflict("The machine is \(machine.power.rawValue).")
            }
            try await connection.run(within: .seconds(600)) { calls in
                try Domains(calls: calls).with(id) { domain in
                    _ = try calls.check("suspend \(id)", calls.functions.virDomainManagedSave(domain, VIR_DOMAIN_SAVE_RUNNING.rawValue))
                }
            }
        }
    }
}

extension LibvirtDriver: PasswordSetting {
    package func setPassword(_ password: Secret, of user: String, in id: MachineID, fence: Fence) async throws {
        try await change(id, fence) { machine in
            guard machine.power == .running else { throw CloudError.conflict("The machine is \(machine.power.rawValue).") }
            try await connection.run { calls in
                try Domains(calls: calls).with(id) { domain in
                    guard calls.functions.virDomainSetUserPassword(domain, user, password.reveal(), 0) < 0 else { return }
                    let failure = calls.library.lastError()
                    throw CloudError(.conflict, "No agent answers in the guest.", detail: "\(failure)")
                }
            }
        }
    }
}
