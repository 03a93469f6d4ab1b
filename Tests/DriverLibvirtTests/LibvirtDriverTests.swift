import CloudCore
import DriverConformance
import DriverLibvirt
import Drivers
import Foundation
import HostModel
import TestSupport
import Testing

/// One at a time: a guest takes a CPU while it starts.
@Suite("The libvirt driver with real guests", .serialized, .enabled(if: RealHost.isAvailable, "scripts/packages host guest"))
struct LibvirtDriverTests {
    @Test("It is a driver like the others", arguments: DriverCheck.all)
    func conforms(_ check: DriverCheck) async throws {
        let (driver, guest) = try await RealHost.shared.open()
        var subject = DriverSubject(driver: driver, greeting: "guest: ready", world: RealHost.shared.world) { guest.spec($0) }
        subject.restarted = { try await RealHost.shared.another() }
        let isDone = try await check.run(on: subject)
        #expect(isDone == !check.isAboutOtherHosts, "it has all abilities but those of hosts that are not alone")
    }
}
