import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of the log levels of services. All services are in one process and have one log, so a level that is set
/// for one of them is the level of all.
struct LogRoutes: RouteGroup {
    let maker: RouteMaker<VolumeCall>
    let hosts: StorageHostService

    private static let since = 32

    var all: [Route] {
        [
            maker.route(.put, "/os-services/set-log", .updateServices, since: Self.since) { call in
                let wish = try await call.read(Self.change)
                guard let level = LogWord(rawValue: (wish.level ?? "").uppercased()) else {
                    throw VolumeRefusal.input("\((wish.level ?? "").prefix(255)) is not a valid log level.")
                }
                let isMeant = try await !services(wish).isEmpty && Self.log.hasPrefix(wish.prefix ?? "")
                if isMeant { hosts.context.needs.logs.set(level) }
                return .accepted
            },
            maker.route(.put, "/os-services/get-log", .updateServices, since: Self.since) { call in
                let wish = try await call.read(Self.question)
                let found = try await services(wish)
                let level = hosts.context.needs.logs.level
                return .json { json in
                    json.array("log_levels", of: found) { json, service in
                        json.object { json in
                            json.member("host", service.host)
                            json.member("binary", service.binary)
                            json.object("levels") { json in
                                guard Self.log.hasPrefix(wish.prefix ?? "") else { return }
                                json.members(of: JSONObject([(Self.log, .string(level.rawValue))]))
                            }
                        }
                    }
                }
            },
        ]
    }

    /// The name of the only log.
    private static let log = "novella"

    private struct Wish: Sendable {
        var binary: String?
        var server: String?
        var prefix: String?
        var level: String?
    }

    private static let api = "cinder-api"
    private static let word = Form<String?>.nullable(.string(0...255))
    private static let names: [FormMember<Wish>] = [
        .optional(
            "binary", \.binary,
            .oneOf(["cinder-scheduler", StorageHostService.volumeBinary, "cinder-backup", api, "", "*"])),
        .optional("server", \.server, word), .optional("prefix", \.prefix, word),
    ]
    private static let question = Form.object(Wish(), names)
    private static let change = Form.object(Wish(), names + [.optional("level", \.level, word)])

    /// Returns the services that a request is about: those that are up.
    private func services(_ wish: Wish) async throws -> [StorageHostService.Entry] {
        let all = try await hosts.services().filter(\.isUp)
        let api = all.first.map { first in
            var one = first
            (one.binary, one.hasPool) = (Self.api, false)
            return one
        }
        let binary = wish.binary.flatMap { ["", "*"].contains($0) ? nil : $0 }
        let server = wish.server.flatMap { $0.isEmpty ? nil : $0 }
        return ((api.map { [$0] } ?? []) + all).filter { service in
            (binary ?? service.binary) == service.binary
                && (server.map { service.host == $0 || service.host.hasPrefix($0 + "@") } ?? true)
        }
    }
}
