import CloudCore
import Resources
import SQL

/// An element of a list in a body: an address, a route, an option.
protocol ListElement: Sendable, Hashable {
    var json: JSON { get }
    init?(json: JSON)
}

/// A list that is stored as one value of its row; SQL never looks into it. Null becomes an empty list.
struct Listed<Element: ListElement>: FieldValue, ExpressibleByArrayLiteral {
    var items: [Element]

    init(_ items: [Element] = []) { self.items = items }
    init(arrayLiteral elements: Element...) { items = elements }

    // Most lists are empty; this path builds and reads nothing for them.
    var json: JSON { items.isEmpty ? .array([]) : .array(items.map(\.json)) }
    mutating func take(_ sql: SQLValue) -> Bool {
        if case .text("[]") = sql {
            items = []
            return true
        }
        guard let value = Self(sql: sql) else { return false }
        self = value
        return true
    }
    init?(json: JSON) {
        if json.isNull {
            items = []
            return
        }
        guard let array = json.array else { return nil }
        items = array.compactMap(Element.init)
        guard items.count == array.count else { return nil }
    }
    var sql: SQLValue { json.sql }
    init?(sql: SQLValue) {
        guard let json = JSON(sql: sql) else { return nil }
        self.init(json: json)
    }
    static func sql(filter text: String) -> SQLValue? { .text(JSON.array([.string(text)]).text) }
}

extension String: ListElement {}
extension IPAddress: ListElement {}
extension IPPrefix: ListElement {}

extension AddressRange: ListElement {
    var json: JSON { ["start": first.json, "end": last.json] }
    init?(json: JSON) {
        guard let object = json.object, object.count == 2, let first = object["start"].flatMap(IPAddress.init(json:)),
            let last = object["end"].flatMap(IPAddress.init(json:))
        else { return nil }
        self.init(first: first, last: last)
    }
}

/// A static route, for the hosts of a subnet or for a router.
struct HostRoute: ListElement {
    let destination: IPPrefix
    let nexthop: IPAddress

    var json: JSON { ["destination": destination.json, "nexthop": nexthop.json] }
    init?(json: JSON) {
        guard let object = json.object, object.count == 2, let destination = object["destination"].flatMap(IPPrefix.init(json:)),
            let nexthop = object["nexthop"].flatMap(IPAddress.init(json:))
        else { return nil }
        self.destination = destination
        self.nexthop = nexthop
    }
}

/// An additional source that a port may send from. Without a MAC address the port's own applies.
struct AddressPair: ListElement {
    /// An IP address or a prefix.
    let address: String
    var mac: MACAddress?

    var json: JSON { ["mac_address": mac?.json ?? .null, "ip_address": .string(address)] }
    init?(json: JSON) {
        guard let object = json.object, object.keys.allSatisfy({ ["mac_address", "ip_address"].contains($0) }),
            let text = object["ip_address"]?.string
        else { return nil }
        if let one = IPAddress(text) {
            address = one.description
        } else if let many = IPPrefix(text) {
            address = many.description
        } else {
            return nil
        }
        if let given = object["mac_address"], !given.isNull {
            guard let mac = MACAddress(json: given) else { return nil }
            self.mac = mac
        }
    }
}

/// An option that DHCP gives to a guest in addition to those that follow from its subnet.
struct DHCPOption: ListElement {
    let name: String
    /// The value; nil removes the option.
    let value: String?
    let version: Int64

    private static let mayBeBlank: Set<String> = ["router", "classless-static-route"]

    var json: JSON { ["opt_name": .string(name), "opt_value": value.json, "ip_version": .integer(version)] }
    init?(json: JSON) {
        guard let object = json.object, object.keys.allSatisfy({ ["opt_name", "opt_value", "ip_version"].contains($0) }),
            let name = object["opt_name"]?.string, !name.isEmpty, name.count <= 64, !name.contains(where: \.isNewline),
            let given = object["opt_value"], given.isNull || given.string != nil
        else { return nil }
        if let text = given.string {
            guard text.count <= 255, !text.contains(where: \.isNewline), !text.allSatisfy(\.isWhitespace) || Self.mayBeBlank.contains(name) else {
                return nil
            }
        }
        let version = object["ip_version"].map { $0.integer ?? $0.string.flatMap { Int64($0) } ?? 0 } ?? 4
        guard [4, 6].contains(version) else { return nil }
        self.name = name
        value = given.string
        self.version = version
    }
}
