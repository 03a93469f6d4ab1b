import CloudCore

/// A user who is logged in to a project of the cloud.
struct CloudUser {
    private let line: HTTPLine
    private let token: String
    let userID: String
    let projectID: String

    init(_ line: HTTPLine, password: String, project: String) throws {
        self.line = line
        let domain: JSON = ["id": "default"]
        let user: JSON = ["name": "admin", "domain": domain, "password": .string(password)]
        let body: JSON = [
            "auth": [
                "identity": ["methods": ["password"], "password": ["user": user]],
                "scope": ["project": ["name": .string(project), "domain": domain]],
            ]
        ]
        let answer = try line.send(
            "POST", "/identity/v3/auth/tokens", ["Content-Type": "application/json"], Array(body.text.utf8))
        guard let token = answer.header("x-subject-token") else { throw BenchError("no token for \(project)") }
        let what = answer.json["token"]
        (self.token, userID) = (token, what?["user"]?["id"]?.string ?? "")
        projectID = what?["project"]?["id"]?.string ?? ""
    }

    /// Sends a request that must succeed.
    @discardableResult
    func call(_ method: String, _ path: String, _ body: JSON? = nil) throws -> HTTPLine.Answer {
        let bytes: [UInt8] = body.map { Array($0.text.utf8) } ?? []
        return try call(method, path, bytes, type: "application/json")
    }

    @discardableResult
    func call(_ method: String, _ path: String, _ bytes: [UInt8], type: String) throws -> HTTPLine.Answer {
        let answer = try send(method, path, bytes, type: type)
        guard answer.status < 300 else {
            throw BenchError("\(method) \(path): \(answer.status) \(String(decoding: answer.body, as: UTF8.self))")
        }
        return answer
    }

    func send(_ method: String, _ path: String, _ bytes: [UInt8] = [], type: String = "application/json") throws
        -> HTTPLine.Answer
    {
        var headers = ["X-Auth-Token": token, "OpenStack-API-Version": "compute 2.96"]
        if !bytes.isEmpty { headers["Content-Type"] = type }
        return try line.send(method, path, headers, bytes)
    }

    /// Makes a thing, and returns it as the answer shows it.
    func make(_ path: String, _ noun: String, _ body: JSON) throws -> JSON {
        try call("POST", path, [noun: body] as JSON).json[noun] ?? .null
    }
}

extension JSON {
    var id: String { self["id"]?.string ?? "" }
}
