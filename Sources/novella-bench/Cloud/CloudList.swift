import CloudCore

/// A list of servers that is measured.
struct CloudList {
    let name: String
    let path: String
    /// Whether the project that has few servers asks for it.
    var isOfFew = false

    private init(_ name: String, _ query: String, isDetailed: Bool = false, isOfFew: Bool = false) {
        self.name = "\(name), \(isDetailed ? "detail" : "brief")"
        path = "/compute/v2.1/servers\(isDetailed ? "/detail" : "")?limit=1000\(query)"
        self.isOfFew = isOfFew
    }

    /// Returns the lists. Some servers get a tag for one of them.
    static func all(of fixtures: CloudFixtures, _ user: CloudUser, rounds: Int) throws -> [CloudList] {
        let first = try user.call("GET", "/compute/v2.1/servers?limit=10").json["servers"]?.array ?? []
        for server in first { try user.call("PUT", "/compute/v2.1/servers/\(server.id)/tags/bench") }
        let address = CloudFixtures.address(1, in: fixtures.all.networks[0]).description.replacing(".", with: "\\.")
        let filters = [
            ("1,000 of the large project", ""), ("by status", "&status=ACTIVE"),
            ("by host", "&host=host-1&all_tenants=1"),
            ("by address", "&ip=%5E\(address)$"), ("by tag", "&tags=bench"), ("by name", "&name=%5Ebench-all-7$"),
            ("by beginning of a name", "&name=%5Ebench-all-1"), ("a pattern that fits none", "&name=q%5B0-9%5D%2Bz"),
        ]
        var lists = filters.flatMap { name, query in
            [false, true].map { CloudList(name, query, isDetailed: $0) }
        }
        lists.insert(
            contentsOf: [false, true].map { CloudList("of the small project", "", isDetailed: $0, isOfFew: true) },
            at: 2)
        return lists
    }
}
