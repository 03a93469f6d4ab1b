import CloudCore
import DriverConformance
import DriverLibvirt
import Drivers
import Foundation
import HostModel
import TestSupport
import Testing

/// The tests run one at a time, since a starting guest takes a whole CPU.
@Suite("The libvirt driver with real guests", .serialized, .enabled(if: RealHost.isAvailable, "scripts/packages host guest"))
struct LibvirtDriverTests {
    @Test("The driver passes each check for all drivers", arguments: DriverCheck.all)
    func conforms(_ check: DriverCheck) async throws {
        let (driver, guest) = try await RealHost.shared.open()
        var subject = DriverSubject(driver: driver, greeting: "guest: ready", world: RealHost.shared.world) { guest.spec($0) }
        subject.restarted = { try await RealHost.shared.another() }
        let isDone = try await check.run(on: subject)
        #expect(isDone == !check.isAboutOtherHosts, "it has all abilities but those of hosts that are not alone")
    }
}
