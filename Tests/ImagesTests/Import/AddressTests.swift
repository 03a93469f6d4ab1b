import CloudCore
import Testing

@testable import Images

@Suite("IP addresses")
struct AddressTests {
    @Test(
        "ossa_2026_004 An address that is not of a public Internet host is not public in any notation",
        arguments: [
            "0.0.0.0", "0.1.2.3", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.0.1", "169.254.169.254", "172.16.0.1",
            "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.168.0.1", "198.18.0.1", "198.19.255.1", "198.51.100.7", "203.0.113.7",
            "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "192.88.99.1",
            "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::10.0.0.1",
            "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2002:0a00:1::1", "2002:a9fe:a9fe::", "fe80::1", "febf::1", "fec0::1",
            "fc00::1", "fd12:3456::1", "ff02::1", "2001::1", "2001:0:7f00:1::", "2001:10::1", "2001:db8::1", "3fff::1", "100::1",
            "4000::1", "fd00:ec2::254", "::ffff:0:127.0.0.1",
        ])
    func ossa_2026_004(text: String) throws { #expect(try #require(IPAddress(text)).isPublic == false) }

    @Test(
        "An address of the public Internet is public",
        arguments: [
            "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.0.0.1", "128.0.0.1", "169.253.0.1",
            "172.15.0.1", "172.32.0.1", "192.0.1.1", "192.167.0.1", "192.169.0.1", "198.17.0.1", "198.20.0.1", "223.255.255.255",
            "2606:4700::1111", "2001:200::1", "2a00::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1",
        ])
    func outside(text: String) throws { #expect(try #require(IPAddress(text)).isPublic) }

    @Test("Only standard notations of addresses are read", arguments: ["127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "1.2.3.4.5", "fe80::1%eth0", "[::1]", "1.2.3.04", ""])
    func strict(text: String) { #expect(IPAddress(text) == nil) }

    @Test("An address is written in its canonical form")
    func text() {
        #expect(IPAddress("2001:0DB8:0:0::1")?.description == "2001:db8::1")
        #expect(IPAddress("10.0.0.1")?.description == "10.0.0.1")
    }

    @Test("A network contains exactly the addresses that begin with its bits")
    func networks() throws {
        let network = try #require(IPPrefix(exactly: "10.20.16.0/20"))
        for (text, isIn) in [("10.20.16.0", true), ("10.20.31.255", true), ("10.20.32.0", false), ("10.20.15.255", false), ("::1", false)] {
            #expect(try network.contains(#require(IPAddress(text))) == isIn, "\(text)")
        }
        #expect(try #require(IPPrefix(exactly: "0.0.0.0/0")).contains(#require(IPAddress("1.2.3.4"))))
        #expect(try #require(IPPrefix(exactly: "fd00::1")).contains(#require(IPAddress("fd00::1"))))
        for wrong in ["10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "::/129", "x/8", "10.0.0.0/8/8"] {
            #expect(IPPrefix(exactly: wrong) == nil, "\(wrong)")
        }
    }
}
