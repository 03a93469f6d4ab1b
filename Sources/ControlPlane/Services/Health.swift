import CloudCore
import HTTPKit
import HTTPTypes
import Images
import SQL
import Telemetry

/// The routes `/healthz` and `/metrics`, for systems that watch the cloud. Both are open to everyone who reaches the
/// port, so their answers contain nothing about users or their resources.
struct Health: Sendable {
    let database: Database
    let images: ImageStores
    let metrics: PrometheusMetrics

    private static let patience: Duration = .seconds(2)

    var services: [APIService] {
        [
            APIService(name: "health", prefixes: ["/healthz"], envelope: PlainEnvelope(), routes: [.get("/", health)]),
            APIService(name: "metrics", prefixes: ["/metrics"], envelope: PlainEnvelope(), routes: [.get("/", figures)]),
        ]
    }

    @Sendable private func health(_: Call) async throws -> Reply {
        let rows = await isDatabaseReachable() ? (database.isFull ? "full" : "ok") : "unreachable"
        let bytes = await images.isFull() ? "full" : "ok"
        let isWell = rows == "ok" && bytes == "ok"
        return .json(isWell ? .ok : .serviceUnavailable) { json in
            json.member("status", isWell ? "ok" : "unavailable")
            json.member("database", rows)
            json.member("images", bytes)
            json.member("version", Version.current)
        }
    }

    private func isDatabaseReachable() async -> Bool {
        let database = database
        let answer = try? await Deadline(Self.patience, CloudError(.timeout, "The database is slow.")).run {
            try await database.read { tx -> Int? in try tx.value("SELECT 1") }
        }
        return answer == 1
    }

    @Sendable private func figures(_: Call) async throws -> Reply {
        .text(.ok, await metrics.text(), type: "text/plain; version=0.0.4; charset=utf-8")
    }
}

/// An envelope that writes errors as a line of text, for paths that belong to no OpenStack API.
private struct PlainEnvelope: ErrorEnvelope {
    func reply(_ error: CloudError, _ status: HTTPResponse.Status, _ context: ErrorContext) -> Reply {
        .text(status, error.message + "\n")
    }
}
