import HTTPKit
import SQL
import ServiceLifecycle

/// Closes the database when everything that uses it has ended: it stands first in the group, and groups end in reverse.
struct DatabaseKeeper: Service {
    let database: Database

    func run() async throws {
        try? await gracefulShutdown()
        await database.close()
    }
}

/// Writes the access log's lines once a second, and the last ones after the last request.
struct AccessLogKeeper: Service {
    let accessLog: AccessLog

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(1))
                accessLog.flush()
            }
        }
        accessLog.flush()
    }
}
