package import CloudCore
package import Drivers
import HTTPKit
package import HostModel
package import Logging
import ServiceLifecycle

/// The doors at which guests must be answered. The code that applies a host's networks sets them.
package struct MetadataDoors: Sendable {
    fileprivate struct Wish: Sendable {
        var doors: Set<MetadataDoor>
        var driver: any MetadataListening
    }

    fileprivate let wishes: AsyncStream<Wish>
    private let continuation: AsyncStream<Wish>.Continuation

    package init() { (wishes, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    /// Sets the doors to serve. It must be called after each `apply`, with all doors of its state, because the driver
    /// may have made an existing door anew.
    package func serve(_ doors: Set<MetadataDoor>, by driver: any MetadataListening) { continuation.yield(Wish(doors: doors, driver: driver)) }
}

/// The service that answers guests' requests for metadata, at every door of the networks of this process's host.
///
///     apply of a state --serve(doors)--> run: a listener for each door --connection--> MetadataRoutes --> MetadataSource
package struct MetadataServer: Service {
    private let doors: MetadataDoors
    private let source: any MetadataSource
    private let world: World
    private let log: Logger

    package init(doors: MetadataDoors, source: any MetadataSource, world: World, log: Logger) {
        self.doors = doors
        self.source = source
        self.world = world
        self.log = log
    }

    private struct Listening {
        var place: String
        /// The continuation whose end stops the listener.
        var end: AsyncStream<Never>.Continuation
    }

    package func run() async throws {
        await withDiscardingTaskGroup { group in
            var listening: [MetadataDoor: Listening] = [:]
            for await wish in doors.wishes.cancelOnGracefulShutdown() {
                for (door, one) in listening where !wish.doors.contains(door) {
                    one.end.finish()
                    listening[door] = nil
                }
                for door in wish.doors {
                    let place = (try? await wish.driver.metadataPlace(of: door)) ?? ""
                    if place.isEmpty || listening[door]?.place == place { continue }
                    listening[door]?.end.finish()
                    let (end, ending) = AsyncStream<Never>.makeStream()
                    listening[door] = Listening(place: place, end: ending)
                    group.addTask { await listen(at: door, wish.driver, until: end) }
                }
            }
            for one in listening.values { one.end.finish() }
        }
    }

    private func listen(at door: MetadataDoor, _ driver: any MetadataListening, until end: AsyncStream<Never>) async {
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
