import CloudCore
import Drivers
import Foundation
import HostModel

/// A test whether guests can run on the CPU itself. The device and a QEMU that starts prove little, because on some
/// hosts guests then hang. So the probe runs a guest with one CPU that only ends itself; it must end within two
/// seconds.
enum AccelerationProbe {
    /// The result since the last start of this machine. It does not change, and the test may take two seconds.
    struct Finding: StoredValue {
        static let storedName = "libvirt.acceleration"

        var conditions: String
        var acceleration: HostCapabilities.Acceleration
    }

    /// The facts on which the result depends: the start of the kernel, the device, and QEMU.
    private static var conditions: String {
        let kernel = KernelFile.text("/proc/sys/kernel/random/boot_id")
        var (device, program) = (stat(), stat())
        stat("/dev/kvm", &device)
        stat(emulator, &program)
        return "\(kernel ?? "") \(device.st_mode) \(device.st_gid) \(geteuid()) \(program.st_mtim.tv_sec) \(program.st_size)"
    }

    private static let emulator = "/usr/bin/qemu-system-x86_64"

    static func run(folder: String) -> HostCapabilities.Acceleration {
        let (path, conditions) = (folder + "/kvm-probe.json", conditions)
        if let data = FileManager.default.contents(atPath: path), let finding = try? StoredJSON.value(Finding.self, from: data),
            finding.conditions == conditions
        {
            return finding.acceleration
        }
        let acceleration = find(folder: folder)
        // If the result cannot be stored, the next start tests again.
        if let data = try? StoredJSON.data(Finding(conditions: conditions, acceleration: acceleration)) {
            try? DurableFile.write(data, to: path)
        }
        return acceleration
    }

    private static func find(folder: String) -> HostCapabilities.Acceleration {
        #if arch(x86_64)
        guard access("/dev/kvm", R_OK | W_OK) == 0 else { return .emulated(reason: "/dev/kvm cannot be opened") }
        let disk = folder + "/kvm-probe.img"
        defer { unlink(disk) }
        guard (try? bootSector.write(to: URL(filePath: disk))) != nil else { return .emulated(reason: "the probe cannot be written") }
        let arguments = [
            "-nodefaults", "-no-user-config", "-display", "none", "-machine", "pc,accel=kvm", "-m", "16", "-smp", "1", "-no-reboot",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04", "-drive", "file=\(disk),format=raw,if=floppy,readonly=on", "-boot", "a",
        ]
        do {
            let limits = HelperProgram.Limits(seconds: 2, cpuSeconds: 5, memoryBytes: 8 << 30)
            let outcome = try HelperProgram.run(emulator, arguments, limits)
            // The device ends QEMU with twice the value plus one.
            guard outcome.status == 0x21 else {
                return .emulated(reason: "a KVM guest ended with \(outcome.status): \(outcome.output.prefix(200))")
            }
            return .kvm
        } catch {
            return .emulated(reason: "a KVM guest did not end in two seconds")
        }
        #else
        return .emulated(reason: "KVM was not tried on this architecture")
        #endif
    }

    /// A boot sector with `mov al, 0x10; out 0xf4, al; hlt; jmp $-1` and the signature.
    private static var bootSector: Data {
        var sector = Data(count: 1_474_560)
        sector.replaceSubrange(0..<7, with: [0xb0, 0x10, 0xe6, 0xf4, 0xf4, 0xeb, 0xfd])
        sector.replaceSubrange(510..<512, with: [0x55, 0xaa])
        return sector
    }
}
