import Access
import CloudCore
import HTTPKit
import Resources
import SQL
import TestSupport
import Testing

/// The verbs of a noun with the usual manners: what a caller may not do is refused.
struct WidgetService: ResourceService {
    typealias R = Widget
    let context: ServiceContext

    func willCreate(_ widget: inout Widget, _ given: Given<Widget>, by caller: Principal, in tx: Transaction) throws {
        if let password = given.password { widget.note = password }
    }

    func willUpdate(
        _ widget: inout Widget, from old: Widget, _ given: Given<Widget>, by caller: Principal, in tx: Transaction
    ) throws {
        given.hint.apply(to: &widget.note)
        if given.has(\.size), !given.has(\.name) { widget.name = "\(old.name) of another size" }
    }
}

/// The same verbs where what may not be seen is not there, and attributes have rules.
struct ShyWidgetService: ResourceService {
    typealias R = Widget
    let context: ServiceContext
    var hidesUnseen: Bool { true }
    var attributeRules: AttributeRules { AttributeRules(context.policy.actions) }

    func action(_ verb: String, _ widget: Widget?) -> Action { Action("\(verb)_widget") }
    func missing(_ id: ID<Widget>) -> CloudError { .notFound("There is no \(id).") }
}

@Suite struct EngineTests {
    private static func caller(_ role: String) -> Principal {
        Principal(
            userID: ID("user"), userName: "user", userDomain: .init(id: "default", name: "Default"), scope: .unscoped,
            roles: [.init(id: role, name: role)], expiresAt: Timestamp(microseconds: .max))
    }

    private static let plain = ["create_widget", "get_widget", "update_widget", "delete_widget", "list_widgets"].map {
        PolicyDefault(Action("test:\($0)"), "role:owner")
    }
    private static let shy = [
        PolicyDefault("create_widget", "role:owner or role:maker"), PolicyDefault("create_widget:size", "role:owner"),
        PolicyDefault("create_widget:options:deep", "role:owner"), PolicyDefault("get_widget:size", "role:owner"),
        PolicyDefault("get_widget", "role:owner or (role:maker and 'a':%(target.widget.name)s)"),
        PolicyDefault("update_widget", "role:owner"), PolicyDefault("delete_widget", "role:owner"),
    ]

    private static func context(_ database: Database, _ rules: [PolicyDefault]) throws -> ServiceContext {
        let policy = try Policy(defaults: rules)
        return ServiceContext(database: database, policy: policy, world: .real, topic: Topic("test"), prefix: "test")
    }

    private static func kind<Value>(_ body: () async throws -> Value) async -> CloudError.Kind? {
        do {
            _ = try await body()
            return nil
        } catch let error as CloudError {
            return error.kind
        } catch {
            return .internalError
        }
    }

    @Test("A body reaches the row and the input, and null is told from absence", arguments: DatabaseKind.allCases)
    func input(kind: DatabaseKind) async throws {
        try await withWidgets(kind) { database in
            let service = WidgetService(context: try Self.context(database, Self.plain))
            let owner = Self.caller("owner")
            let (made, isBulk) = try await service.create(["widget": ["name": "n", "password": "p"]], by: owner)
            let widget = try #require(made.rows.first)
            #expect(!isBulk && widget.note == "p" && widget.id.text.count == 32)
            let changes: [(JSON, String?)] = [(["hint": "h"], "h"), (["name": "m"], "h"), (["hint": nil], nil)]
            for (change, note) in changes {
                let changed = try await service.update(widget.id, ["widget": change], if: { _ in }, by: owner)
                #expect(changed.rows.first?.note == note, "\(change.text)")
            }
            let other = try await service.update(widget.id, ["widget": ["size": 9]], if: { _ in }, by: owner)
            #expect(other.rows.first?.name == "m of another size")
            #expect(try await service.get(widget.id, by: owner).rows == other.rows)
            #expect(try await service.list(.none, by: owner).rows == other.rows)
        }
    }

    @Test("Who may do nothing is refused alike, whether there is a row or not")
    func refusals() async throws {
        try await withWidgets(.sqlite, [Widget("a", "a")]) { database in
            let service = WidgetService(context: try Self.context(database, Self.plain))
            let owner = Self.caller("owner")
            let stranger = Self.caller("nobody")
            for id in [ID<Widget>("a"), ID("b")] {
                #expect(await Self.kind { try await service.get(id, by: stranger) } == .forbidden)
                #expect(await Self.kind { try await service.delete(id, if: { _ in }, by: stranger) } == .forbidden)
            }
            #expect(await Self.kind { try await service.list(.none, by: stranger) } == .forbidden)
            #expect(await Self.kind { try await service.get(ID("b"), by: owner) } == .notFound)
            let refuse: Condition<Widget> = { _ in throw CloudError.conflict("It is not so.") }
            #expect(await Self.kind { try await service.delete(ID("a"), if: refuse, by: owner) } == .conflict)
            #expect(await Self.kind { try await service.delete(ID("a"), if: { _ in }, by: owner) } == nil)
            #expect(await Self.kind { try await service.get(ID("a"), by: owner) } == .notFound)
        }
    }

    @Test("Where the unseen is not there, lists leave it out, and attributes are guarded in bodies and views")
    func hiding() async throws {
        try await withWidgets(.sqlite, [Widget("1", "a"), Widget("2", "b")]) { database in
            let service = ShyWidgetService(context: try Self.context(database, Self.shy))
            let owner = Self.caller("owner")
            let (maker, stranger) = (Self.caller("maker"), Self.caller("nobody"))
            let seen = try await service.list(.none, by: maker)
            #expect(seen.rows.map(\.name) == ["a"] && seen.hidden == ["size"])
            #expect(try await service.list(.none, by: owner).hidden.isEmpty)
            #expect(try await service.list(.none, by: stranger).rows.isEmpty)
            #expect(await Self.kind { try await service.get(ID("2"), by: maker) } == .notFound)
            #expect(await Self.kind { try await service.delete(ID("2"), if: { _ in }, by: maker) } == .notFound)
            #expect(await Self.kind { try await service.delete(ID("1"), if: { _ in }, by: maker) } == .forbidden)
            let bodies: [(JSON, CloudError.Kind?)] = [
                (["name": "a"], nil), (["name": "a", "size": 1], nil), (["name": "a", "size": 2], .forbidden),
                (["name": "a", "options": ["deep": 1]], .forbidden), (["name": "a", "options": ["flat": 1]], nil),
            ]
            for (body, expected) in bodies {
                let kind = await Self.kind { try await service.create(["widget": body], by: maker) }
                #expect(kind == expected, "\(body.text)")
            }
            let sized: JSONObject = ["widget": ["name": "a", "size": 2]]
            #expect(await Self.kind { try await service.create(sized, by: owner) } == nil)
        }
    }
}
