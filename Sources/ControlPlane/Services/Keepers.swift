import ServiceLifecycle
import Telemetry

/// The service that writes the lines of the access log and of the spans once a second, and the last ones after all
/// other services have ended.
struct LineFileKeeper: Service {
    let files: [LineFile]

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(1))
                for file in files { file.flush() }
            }
        }
        for file in files { file.flush() }
    }
}
