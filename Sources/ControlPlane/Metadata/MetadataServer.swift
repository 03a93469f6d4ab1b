package import CloudCore
package import Drivers
import HTTPKit
package import Logging
import ServiceLifecycle

/// Answers guests that ask for metadata, at every door that the host's networks have.
///
///     apply of a state --serve(doors)--> run: a listener for each door --connection--> MetadataRoutes --> MetadataSource
package struct MetadataServer: Service {
    private let driver: any MetadataListening
    private let source: any MetadataSource
    private let world: World
    private let log: Logger
    private let wishes: AsyncStream<Set<MetadataDoor>>
    private let wish: AsyncStream<Set<MetadataDoor>>.Continuation

    package init(driver: any MetadataListening, source: any MetadataSource, world: World, log: Logger) {
        self.driver = driver
        self.source = source
        self.world = world
        self.log = log
        (wishes, wish) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// To be called after each `apply`, with all doors of its state: also one that was there before may have been made anew.
    package func serve(_ doors: Set<MetadataDoor>) { wish.yield(doors) }

    private struct Listening {
        var place: String
        /// Finishing it ends the listener.
        var end: AsyncStream<Never>.Continuation
    }

    package func run() async throws {
        await withDiscardingTaskGroup { group in
            var listening: [MetadataDoor: Listening] = [:]
            for await doors in wishes.cancelOnGracefulShutdown() {
                for (door, one) in listening where !doors.contains(door) {
                    one.end.finish()
                    listening[door] = nil
                }
                for door in doors {
                    let place = (try? await driver.metadataPlace(of: door)) ?? ""
                    if place.isEmpty || listening[door]?.place == place { continue }
                    listening[door]?.end.finish()
                    let (end, ending) = AsyncStream<Never>.makeStream()
                    listening[door] = Listening(place: place, end: ending)
                    group.addTask { await listen(at: door, until: end) }
                }
            }
            for one in listening.values { one.end.finish() }
        }
    }

    private func listen(at door: MetadataDoor, until end: AsyncStream<Never>) async {
        await withTaskGroup { group in
            group.addTask { for await _ in end {} }
            group.addTask {
                do {
                    let routes = MetadataRoutes(door: door, source: source, random: world.random)
                    let responder = try Responder(services: [routes.service], verifier: nil, world: world, log: log)
                    let server = SocketServer(responder: responder, refusals: MetadataEnvelope(), log: log)
                    try await server.run(try await driver.listenForMetadata(at: door))
                } catch {
                    log.error("guests cannot ask for metadata", metadata: ["network": "\(door.network)", "error": "\(error)"])
                }
            }
            await group.next()
            group.cancelAll()
        }
    }
}
