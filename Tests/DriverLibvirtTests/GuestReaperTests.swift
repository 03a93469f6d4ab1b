@testable import DriverLibvirt
import Testing

@Suite("Reaping of dead child processes")
struct GuestReaperTests {
    private let began = ContinuousClock.now

    private func dead(_ pid: Int32, _ name: String, session: Int32) -> GuestReaper.Dead { .init(pid: pid, name: name, session: session) }

    @Test("A dead guest is reaped at once, and a QEMU that libvirt started for a query never")
    func guests() {
        var rounds = GuestReaper.Rounds(ownSession: 1)
        #expect(rounds.ours(of: [dead(7, "qemu-system-x86", session: 6), dead(8, "qemu-system-x86", session: 1)], at: began) == [7])
    }

    @Test("A dead daemon is reaped once nobody has waited for it for five seconds")
    func daemons() {
        var rounds = GuestReaper.Rounds(ownSession: 1)
        let (daemon, younger) = (dead(7, "dnsmasq", session: 6), dead(9, "dnsmasq", session: 9))
        #expect(rounds.ours(of: [daemon], at: began) == [])
        #expect(rounds.ours(of: [daemon, younger], at: began + .seconds(4)) == [])
        #expect(rounds.ours(of: [daemon, younger], at: began + .seconds(5)) == [7])
        #expect(rounds.ours(of: [daemon, younger], at: began + .seconds(9)) == [7, 9])
    }

    @Test("A reused pid starts its five seconds anew")
    func reuse() {
        var rounds = GuestReaper.Rounds(ownSession: 1)
        let daemon = dead(7, "dnsmasq", session: 6)
        #expect(rounds.ours(of: [daemon], at: began) == [])
        #expect(rounds.ours(of: [], at: began + .seconds(4)) == [])
        #expect(rounds.ours(of: [daemon], at: began + .seconds(6)) == [])
    }

    @Test("Any other child is left to the code that started it")
    func others() {
        var rounds = GuestReaper.Rounds(ownSession: 1)
        let other = dead(7, "nft", session: 7)
        #expect(rounds.ours(of: [other], at: began) == [])
        #expect(rounds.ours(of: [other], at: began + .seconds(60)) == [])
    }
}
