import CloudCore
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

/// A caller of Networking.
struct NetworkingClient: APIClient {
    let cloud: TestCloud
    let token: String

    /// Returns a client of a member of a new project, and the project's id.
    static func member(_ cloud: TestCloud, of project: String, role: String = "member") async throws -> (client: NetworkingClient, project: String) {
        let admin = try await NetworkingClient(cloud)
        func identity(_ method: HTTPRequest.Method, _ path: String, _ json: JSON? = nil) async -> JSON {
            await cloud.send(method, "/v3" + path, token: admin.token, json: json).json
        }
        let password = "a password of a test"
        let id = try #require(await identity(.post, "/projects", ["project": ["name": .string(project), "domain_id": "default"]])["project"]).id
        let user: JSON = ["name": .string(project), "domain_id": "default", "password": .string(password)]
        let owner = try #require(await identity(.post, "/users", ["user": user])["user"]).id
        let found = await identity(.get, "/roles?name=\(role)")["roles"]?.array?.first?.id
        _ = await identity(.put, "/projects/\(id)/users/\(owner)/roles/\(try #require(found))")
        return (NetworkingClient(cloud: cloud, token: try await cloud.token(user: project, password: password, project: project)), id)
    }

    func send(_ method: HTTPRequest.Method, _ path: String, _ json: JSON? = nil, headers: HTTPFields = [:]) async -> TestCloud.Response {
        await cloud.send(method, "/network/v2.0" + path, token: token, json: json, headers: headers)
    }

    /// Creates a resource and returns it.
    @discardableResult
    func make(_ singular: String, _ members: JSONObject = [:], at path: String? = nil) async throws -> JSON {
        let segment = path ?? "/" + singular.replacing("_", with: "-") + "s"
        let response = await send(.post, segment, .object([singular: .object(members)]))
        try #require(response.status == .created, "\(singular): \(response.text)")
        return try #require(response.json[singular])
    }

    func change(_ singular: String, _ id: String, _ members: JSONObject) async -> TestCloud.Response {
        await send(.put, "/\(singular.replacing("_", with: "-"))s/\(id)", .object([singular: .object(members)]))
    }

    func list(_ plural: String, _ query: String = "") async -> [JSON] {
        await send(.get, "/\(plural.replacing("_", with: "-"))?\(query)").json[plural]?.array ?? []
    }

    /// Creates a network with one subnet, and returns their ids.
    func network(_ name: String = "net", cidr: String = "10.0.0.0/24", _ more: JSONObject = [:]) async throws -> (network: String, subnet: String) {
        var members: JSONObject = ["name": .string(name)]
        for (key, value) in more.members { members[key] = value }
        let network = try await make("network", members).id
        let subnet = try await make("subnet", ["network_id": .string(network), "ip_version": cidr.contains(":") ? 6 : 4, "cidr": .string(cidr)]).id
        return (network, subnet)
    }

    func port(_ network: String, _ more: JSONObject = [:]) async throws -> JSON {
        var members: JSONObject = ["network_id": .string(network)]
        for (key, value) in more.members { members[key] = value }
        return try await make("port", members)
    }
}

extension JSON {
    var id: String { self["id"]?.string ?? "" }
    /// The addresses of a port.
    var addresses: [String] { self["fixed_ips"]?.array?.compactMap { $0["ip_address"]?.string } ?? [] }
}

extension TestCloud.Response {
    /// The type of Neutron's error.
    var type: String { json["NeutronError"]?["type"]?.string ?? "" }
}
