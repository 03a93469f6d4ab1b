import CloudCore
import Foundation
@testable import Networking
import SQL
import TestSupport
import Testing

/// Networking's columns have lists that are read and written by hand. A list of each kind that a release has written
/// must be read, and must be written unchanged.
@Suite("Lists in columns") struct ColumnTests {
    /// The lists that release 0.1 has written. Each kind of element has all its forms; no text is ever changed.
    private static let written: [(type: any ListElement.Type, text: String)] = [
        (String.self, #"["alpha","beta"]"#),
        (IPAddress.self, #"["192.0.2.1","2001:db8::1"]"#),
        (IPPrefix.self, #"["192.0.2.0/24","2001:db8::/64"]"#),
        (AddressRange.self, #"[{"start":"192.0.2.2","end":"192.0.2.254"}]"#),
        (HostRoute.self, #"[{"destination":"10.0.0.0/8","nexthop":"192.0.2.9"}]"#),
        (
            AddressPair.self,
            #"[{"mac_address":null,"ip_address":"192.0.2.7"},{"mac_address":"fa:16:3e:00:00:01","ip_address":"10.0.0.0/8"}]"#
        ),
        (
            DHCPOption.self,
            #"[{"opt_name":"mtu","opt_value":"1400","ip_version":4},{"opt_name":"router","opt_value":null,"ip_version":6}]"#
        ),
    ]

    @Test(
        "A list that a release has written is read and written back unchanged", arguments: ColumnTests.written.indices)
    func lists(_ number: Int) throws {
        let (type, text) = Self.written[number]
        try Self.check(type, text)
    }

    private static func check<Element: ListElement>(_ type: Element.Type, _ text: String) throws {
        let list = try #require(Listed<Element>(sql: .text(text)))
        #expect(!list.items.isEmpty && list.sql == .text(text))
    }

    @Test("Each kind of list has an example that a release has written")
    func kinds() throws {
        let known = Set(Self.written.map { "\($0.type)" })
        for (path, text) in try ListTests.sources() {
            for match in text.matches(of: /(?:extension|struct|enum) (\w+): (?:\w+, )*ListElement\b/) {
                #expect(known.contains(String(match.1)), "\(path): \(match.1) is stored in lists, and has no example")
            }
        }
    }
}
