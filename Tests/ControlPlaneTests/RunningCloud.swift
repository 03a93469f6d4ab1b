import CloudCore
import Foundation
#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif
import Logging
import TestSupport
import Testing

@testable import ControlPlane

/// A cloud with simulated hosts that serves on a port, and a client with its administrator's token.
struct RunningCloud: Sendable {
    let process: CloudProcess
    private let token: String

    static let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    static var configuration: Configuration {
        var configuration = Configuration()
        configuration.server.listen = "127.0.0.1:0"
        configuration.simulate.enabled = true
        configuration.simulate.hosts = 2
        return configuration
    }

    /// Runs `body` while a cloud serves on the state directory, and stops it afterwards as a signal does.
    static func run<Value: Sendable>(
        _ path: String, _ configuration: Configuration = Self.configuration,
        _ body: @escaping @Sendable (RunningCloud) async throws -> Value
    ) async throws -> Value {
        let (ready, isReady) = AsyncStream<String>.makeStream()
        let process = try await CloudProcess.start(
            configuration, directory: StateDirectory(path: path), world: .real, log: log, isAlone: false
        ) { isReady.yield($0) }
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                try await process.run()
                return nil
            }
            group.addTask {
                for await _ in ready { break }
                let result: Result<Value, any Error>
                do { result = .success(try await body(try await RunningCloud(process))) } catch { result = .failure(error) }
                await process.stop()
                return try result.get()
            }
            var value: Value?
            for try await one in group { value = one ?? value }
            return try #require(value)
        }
    }

    private init(_ process: CloudProcess) async throws {
        self.process = process
        let directory = process.directory
        let password = try ClientFiles.passwords(in: try #require(try Files.text(directory.clouds)), "").admin ?? ""
        let domain: JSON = ["id": "default"]
        let user: JSON = ["name": "admin", "domain": domain, "password": .string(password)]
        let auth: JSON = [
            "identity": ["methods": ["password"], "password": ["user": user]], "scope": ["project": ["name": "admin", "domain": domain]],
        ]
        let body = JSON.object(["auth": auth]).text
        let (_, headers) = try await Self.exchange("POST", process.url + "/identity/v3/auth/tokens", [:], Data(body.utf8))
        token = try #require(headers["x-subject-token"])
    }

    /// The error for a request that should have succeeded.
    private struct Refused: Error { let description: String }

    /// Sends a request that must succeed, and returns its body.
    @discardableResult
    func send(_ method: String, _ path: String, _ json: JSON? = nil) async throws -> JSON {
        let headers = ["Content-Type": "application/json", "OpenStack-API-Version": "compute 2.90"]
        let (data, _) = try await call(method, path, headers, json.map { Data($0.text.utf8) })
        return data.isEmpty ? .null : try JSON.parse([UInt8](data))
    }

    func bytes(_ path: String) async throws -> Data { try await call("GET", path, [:], nil).0 }

    /// Makes an image with bytes, and returns its id.
    func image(_ name: String, _ bytes: Data) async throws -> String {
        let body: JSON = ["name": .string(name), "disk_format": "raw", "container_format": "bare", "visibility": "public"]
        let id = try #require(try await send("POST", "/image/v2/images", body)["id"]?.string)
        _ = try await call("PUT", "/image/v2/images/\(id)/file", ["Content-Type": "application/octet-stream"], bytes)
        return id
    }

    private func call(
        _ method: String, _ path: String, _ headers: [String: String], _ body: Data?
    ) async throws -> (Data, [String: String]) {
        try await Self.exchange(method, process.url + path, headers.merging(["X-Auth-Token": token]) { $1 }, body)
    }

    private static func exchange(
        _ method: String, _ url: String, _ headers: [String: String], _ body: Data?
    ) async throws -> (Data, [String: String]) {
        var request = URLRequest(url: try #require(URL(string: url)))
        request.httpMethod = method
        request.httpBody = body
        if body != nil { request.setValue("application/json", forHTTPHeaderField: "Content-Type") }
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        let (data, response) = try await URLSession.shared.data(for: request)
        let http = try #require(response as? HTTPURLResponse)
        guard (200..<300).contains(http.statusCode) else {
            throw Refused(description: "\(method) \(url): \(http.statusCode) \(String(decoding: data, as: UTF8.self))")
        }
        var found: [String: String] = [:]
        for (name, value) in http.allHeaderFields { found["\(name)".lowercased()] = "\(value)" }
        return (data, found)
    }
}
