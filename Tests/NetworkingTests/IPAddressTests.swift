import CloudCore
import Testing

@testable import Networking

@Suite("Addresses and prefixes as values")
struct IPAddressTests {
    @Test("Addresses are parsed strictly and written in canonical form")
    func text() {
        #expect(IPAddress("10.0.0.1")?.description == "10.0.0.1")
        #expect(IPAddress("2001:DB8:0:0::1")?.description == "2001:db8::1")
        for wrong in ["", "10.0.0", "10.0.0.01", "10.0.0.256", "10.0.0.1 ", "1.2.3.4.5", ":", "fe80::1%eth0", "12345::"] {
            #expect(IPAddress(wrong) == nil, "\(wrong)")
        }
        #expect(IPPrefix("10.0.0.7/24")?.description == "10.0.0.0/24")
        #expect(IPPrefix("10.0.0.0/33") == nil)
        #expect(IPPrefix("10.0.0.0") == nil)
        #expect(IPPrefix("10.0.0.3", alone: true)?.description == "10.0.0.3/32")
        #expect(IPPrefix("::/0")?.last.description == "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
    }

    @Test("Keys sort as the addresses do")
    func keys() {
        let texts = ["9.255.255.255", "10.0.0.9", "10.0.0.10", "172.16.0.1", "255.255.255.255"]
        let keys = texts.compactMap { IPAddress($0)?.key }
        #expect(keys == keys.sorted())
        #expect(keys.compactMap { IPAddress(key: $0)?.description } == texts)
    }

    @Test("A guest's automatic address is derived from its MAC address")
    func automatic() throws {
        let mac = try #require(MACAddress("FA-16-3E-01-02-03"))
        #expect(mac.description == "fa:16:3e:01:02:03")
        #expect(mac.address(in: try #require(IPPrefix("2001:db8::/64"))).description == "2001:db8::f816:3eff:fe01:203")
        #expect(MACAddress("01:00:5e:00:00:01") == nil)
    }

    @Test("Pools leave out the network, the broadcast and the gateway addresses")
    func pools() throws {
        let cidr = try #require(IPPrefix("10.0.0.0/29"))
        #expect(SubnetPlan.usualPools(of: cidr, without: IPAddress("10.0.0.1")).map(\.description) == ["10.0.0.2-10.0.0.6"])
        #expect(
            SubnetPlan.usualPools(of: cidr, without: IPAddress("10.0.0.3")).map(\.description) == ["10.0.0.1-10.0.0.2", "10.0.0.4-10.0.0.6"])
        #expect(SubnetPlan.usualPools(of: cidr, without: nil).map(\.description) == ["10.0.0.1-10.0.0.6"])
    }

    @Test("Adjacent prefixes are merged, and the lowest free prefix is found")
    func prefixes() {
        let prefixes = ["10.0.1.0/24", "10.0.0.0/24", "10.0.0.128/25", "10.0.2.0/23"].compactMap { IPPrefix($0) }
        #expect(PrefixMath.compact(prefixes).map(\.description) == ["10.0.0.0/22"])
        let taken = ["10.0.0.0/26", "10.0.0.64/28", "10.0.0.128/26"].compactMap { IPPrefix($0) }
        #expect(PrefixMath.firstFree(of: 26, in: PrefixMath.compact(prefixes), without: taken)?.description == "10.0.0.192/26")
        #expect(PrefixMath.firstFree(of: 28, in: PrefixMath.compact(prefixes), without: taken)?.description == "10.0.0.80/28")
        #expect(PrefixMath.firstFree(of: 21, in: PrefixMath.compact(prefixes), without: []) == nil)
    }
}
