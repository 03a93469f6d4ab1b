import CloudCore
@testable import Compute
import TestSupport
import Testing

/// The parts that answers copy from a server's document, against the decoded server.
@Suite("Parts of servers")
struct ServerDocumentTests {
    /// Returns a part as answers have it; nil if the server does not have it.
    private static func expected(_ part: ServerPart, of server: Server) -> JSON? {
        func text(_ text: String?) -> JSON? { text.map { .string($0) } }
        func number(_ number: (some BinaryInteger)?) -> JSON? { number.map { .integer(Int64($0)) } }
        func map(_ map: [String: String]?) -> JSON? { map.map { .object(TextMap.json($0)) } }
        func list(_ list: [String]?) -> JSON? { list.map { .array($0.map { .string($0) }) } }
        return switch part {
        case .id: text(server.id.text)
        case .number: number(server.number)
        case .projectID: text(server.projectID)
        case .userID: text(server.userID)
        case .name: text(server.name)
        case .description: text(server.description)
        case .hostname: text(server.hostname)
        case .power: number(server.power.rawValue)
        case .host: text(server.host)
        case .pinnedZone: text(server.pinnedZone)
        case .keyName: text(server.keyName)
        case .metadata: map(server.metadata)
        case .userData: text(server.userData)
        case .hasConfigDrive: .bool(server.hasConfigDrive)
        case .accessIPv4: text(server.accessIPv4)
        case .accessIPv6: text(server.accessIPv6)
        case .resizesDisk: .bool(server.resizesDisk)
        case .groupID: text(server.groupID?.text)
        case .reservationID: text(server.reservationID)
        case .launchIndex: number(server.launchIndex)
        case .rootDevice: text(server.rootDevice)
        case .certificates: list(server.certificates)
        case .tags: list(server.tags)
        case .createdAt: number(server.createdAt.microseconds)
        case .updatedAt: number(server.updatedAt.microseconds)
        case .launchedAt: number(server.launchedAt?.microseconds)
        case .endedAt: number(server.endedAt?.microseconds)
        case .flavorID: text(server.flavor.id.text)
        case .flavorName: text(server.flavor.name)
        case .vcpus: number(server.flavor.vcpus)
        case .ram: number(server.flavor.ramMiB)
        case .disk: number(server.flavor.diskGiB)
        case .ephemeral: number(server.flavor.ephemeralGiB)
        case .swap: number(server.flavor.swapMiB)
        case .extraSpecs: map(server.flavor.extraSpecs)
        case .imageID: text(server.image?.id.text)
        case .imageProperties: map(server.image?.properties)
        case .imageKernel: text(server.image?.properties["kernel_id"])
        case .imageRamdisk: text(server.image?.properties["ramdisk_id"])
        case .volumeKernel: text(server.rootVolume?.imageProperties["kernel_id"])
        case .volumeRamdisk: text(server.rootVolume?.imageProperties["ramdisk_id"])
        case .lockHolder: text(server.lock?.holder.rawValue)
        case .lockReason: text(server.lock?.reason)
        case .hints: text(server.hints.given)
        }
    }

    private static let texts = [
        "", "plain", "é\u{1f600}", "\"quoted\" \\ / \n\r\t\u{1}\u{1f}\u{7f}", "q\u{301}", "a.b", "ü", "z", "B",
        "a10", "a9",
    ]

    private static func server(_ random: inout SplitMix64) -> Server {
        func text() -> String { texts.randomElement(using: &random) ?? "" }
        func maybe<Value>(_ value: @autoclosure () -> Value) -> Value? { Bool.random(using: &random) ? value() : nil }
        func number() -> Int { Int.random(in: -5...1_000_000, using: &random) }
        func moment() -> Timestamp {
            Timestamp(microseconds: Int64.random(in: -1...4_000_000_000_000_000, using: &random))
        }
        func map() -> [String: String] {
            Dictionary((0..<Int.random(in: 0...4, using: &random)).map { _ in (text(), text()) }) { $1 }
        }
        func image() -> Server.ImageReference {
            let boot = maybe(["kernel_id": text(), "ramdisk_id": text()]) ?? [:]
            return .init(id: ID(text()), properties: map().merging(boot) { $1 })
        }
        var server = ServerStage.server(.test())
        (server.id, server.number, server.projectID, server.userID) = (ID(text()), number(), text(), text())
        (server.name, server.description, server.hostname) = (text(), maybe(text()), text())
        server.power = [.none, .running, .paused, .off, .crashed, .suspended].randomElement(using: &random) ?? .none
        server.state = VMState.allCases.randomElement(using: &random) ?? .active
        (server.host, server.otherHost, server.pinnedZone) = (maybe(text()), maybe(text()), maybe(text()))
        server.flavor.id = ID(text())
        (server.flavor.name, server.flavor.vcpus, server.flavor.ramMiB) = (text(), number(), number())
        (server.flavor.diskGiB, server.flavor.ephemeralGiB, server.flavor.swapMiB) = (number(), number(), number())
        server.flavor.extraSpecs = map()
        (server.image, server.rescueImage) = (maybe(image()), maybe(image()))
        server.rootVolume = maybe(.init(imageProperties: image().properties))
        server.former = maybe(.init(flavor: ServerStage.flavor(text()), host: text(), wasRunning: true))
        (server.keyName, server.publicKey, server.metadata) = (maybe(text()), maybe(text()), map())
        (server.userData, server.guestPassword) = (maybe(text()), maybe(text()))
        (server.hasConfigDrive, server.resizesDisk) = (Bool.random(using: &random), Bool.random(using: &random))
        (server.accessIPv4, server.accessIPv6) = (maybe(text()), maybe(text()))
        server.lock = maybe(.init(holder: .owner, reason: maybe(text())))
        (server.groupID, server.reservationID, server.launchIndex) = (maybe(ID(text())), text(), number())
        server.hints.given = text()
        (server.rootDevice, server.certificates) = (text(), maybe([text(), text()]))
        server.tags = (0..<Int.random(in: 0...3, using: &random)).map { _ in text() }
        (server.createdAt, server.updatedAt, server.launchedAt, server.endedAt) = (
            moment(), moment(), maybe(moment()), maybe(moment())
        )
        server.fault = maybe(.init(code: 1, message: text(), details: maybe(text()), at: moment()))
        return server
    }

    private static func written(_ part: ServerPart, _ document: ServerDocument) -> String {
        var json = JSONWriter()
        document.write(part, into: &json)
        return json.text
    }

    private static func check(_ server: Server, _ text: String) throws {
        let document = try ServerDocument(text)
        for part in ServerPart.allCases {
            let value = expected(part, of: server)
            #expect(document.has(part) == (value != nil), "\(part) of \(text)")
            #expect(written(part, document) == (value ?? .null).text, "\(part) of \(text)")
            if let text = value?.string { #expect(document.text(part) == text) }
            if let integer = value?.integer { #expect(document.integer(part) == integer) }
            if let bool = value?.bool { #expect(document.isTrue(part) == bool) }
        }
    }

    @Test("Every part of any server is the same as in the decoded server")
    func random() throws {
        var random = SplitMix64(seed: 11)
        for _ in 0..<300 {
            let text = try StoredJSON.text(Self.server(&random))
            try Self.check(try StoredJSON.value(from: text), text)
        }
    }

    @Test("A document without one of its members is read, or refused, as by decoding")
    func missing() throws {
        var random = SplitMix64(seed: 12)
        for _ in 0..<20 {
            let whole = try JSON.parse(try StoredJSON.text(Self.server(&random)))
            for text in Self.without(one: whole).map(\.text) {
                guard let server = try? StoredJSON.value(Server.self, from: text) else { continue }
                try Self.check(server, text)
            }
        }
    }

    /// Returns the forms of a document in which one member is missing, at any depth.
    private static func without(one whole: JSON) -> [JSON] {
        guard case .object(let object) = whole else { return [] }
        return object.members.flatMap { key, value in
            func with(_ value: JSON?) -> JSON {
                var other = object
                other[key] = value
                return .object(other)
            }
            return [with(nil)] + without(one: value).map { with($0) }
        }
    }

    @Test("A document without a part that every server has is unreadable")
    func unreadable() throws {
        let whole = try JSON.parse(try StoredJSON.text(ServerStage.server(.test())))
        for name in ["id", "name", "flavor", "createdAt", "hints", "tags"] {
            var object = try #require(whole.object)
            object[name] = nil
            let error = #expect(throws: CloudError.self) { try ServerDocument(JSON.object(object).text) }
            #expect(error?.code == StoredJSON.unreadableCode, "\(name)")
        }
    }
}
