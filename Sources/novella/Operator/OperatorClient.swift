import ArgumentParser
import CloudCore
import ControlPlane

/// A client of a running cloud's operator API, logged in as the administrator.
struct OperatorClient {
    private let client: CloudClient

    init(_ common: CommonOptions) async throws {
        let cloud = try KnownCloud(in: try common.load().configuration.stateDirectory)
        client = try await CloudClient(cloud, user: "admin", password: cloud.adminPassword)
    }

    @discardableResult
    func call(_ method: String, _ path: String, _ body: JSON? = nil) async throws -> JSON {
        try await client.call(method, CloudClient.operatorService, path, body)
    }

    /// Returns the workflows that match a query, newest first, at most `limit`. It reads page by page.
    func workflows(_ filters: [(name: String, value: String?)], limit: Int) async throws -> [JSON] {
        var found: [JSON] = []
        let query = filters.compactMap { filter in filter.value.map { "&\(filter.name)=\(PercentText.encode($0))" } }.joined()
        while found.count < limit {
            let marker = found.last?["id"]?.string.map { "&marker=\(PercentText.encode($0))" } ?? ""
            let page = try await call("GET", "/workflows?limit=\(min(limit - found.count, 1000))\(query)\(marker)")
            found += page["workflows"]?.array ?? []
            if page["next"]?.string == nil { break }
        }
        return found
    }
}

/// Percent-encoding for values in the query of a URL.
enum PercentText {
    static func encode(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain = (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || "-._~/".utf8.contains(byte)
            return isPlain ? String(UnicodeScalar(byte)) : "%" + Hex.text([byte]).uppercased()
        }.joined()
    }
}
