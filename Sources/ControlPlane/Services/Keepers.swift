import HTTPKit
import ServiceLifecycle

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
