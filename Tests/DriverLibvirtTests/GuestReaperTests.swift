@testable import DriverLibvirt
import Testing

@Suite("Children that have died")
struct GuestReaperTests {
    private let began = ContinuousClock.now

    private func dead(_ pid: Int32, _ name: String, session: Int32) -> GuestReaper.Dead { .init(pid: pid, name: name, session: session) }

    @Test("A guest is taken note of at once, and what libvirt started to ask a question never")
    func guests() {
        var rounds = GuestReaper.Rounds(ownSession: 1)
        #expect(rounds.ours(of: [dead(7, "qemu-system-x86", session: 6), dead(8, "qemu-system-x86", session: 1)], at: began) == [7])
    }

    @Test("A daemon is taken note of when nobody has looked for as long as a starter never takes")
    func daemons() {
        var rounds = GuestReaper.Rounds(ownSession: 1)
        let (daemon, younger) = (dead(7, "dnsmasq", session: 6), dead(9, "dnsmasq", session: 9))
        #expect(rounds.ours(of: [daemon], at: began) == [])
        #expect(rounds.ours(of: [daemon, younger], at: began + .seconds(4)) == [])
        #expect(rounds.ours(of: [daemon, younger], at: began + .seconds(5)) == [7])
        #expect(rounds.ours(of: [daemon, younger], at: began + .seconds(9)) == [7, 9])
    }

    @Test("A number that is given to another child begins anew")
    func reuse() {
        var rounds = GuestReaper.Rounds(ownSession: 1)
        let daemon = dead(7, "dnsmasq", session: 6)
        #expect(rounds.ours(of: [daemon], at: began) == [])
        #expect(rounds.ours(of: [], at: began + .seconds(4)) == [])
        #expect(rounds.ours(of: [daemon], at: began + .seconds(6)) == [])
    }

    @Test("Any other child belongs to who started it")
    func others() {
        var rounds = GuestReaper.Rounds(ownSession: 1)
        let other = dead(7, "nft", session: 7)
        #expect(rounds.ours(of: [other], at: began) == [])
        #expect(rounds.ours(of: [other], at: began + .seconds(60)) == [])
    }
}
