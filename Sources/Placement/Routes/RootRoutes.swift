import CloudCore
import HTTPKit

/// The route `/`: the supported versions, for all callers.
struct RootRoutes: Sendable {
    let world: World

    static let range = Microversion(1, 0)...Microversion(1, 39)

    var all: [Route] {
        [
            .get("/") { [world] call in
                let answer = Answer.json(modified: world.now) { json in
                    json.array("versions", of: [Self.range]) { json, range in
                        json.object { json in
                            json.member("id", "v\(range.lowerBound)")
                            json.member("max_version", range.upperBound.description)
                            json.member("min_version", range.lowerBound.description)
                            json.member("status", "CURRENT")
                            json.array("links", of: [""]) { json, link in
                                json.object { json in
                                    json.member("rel", "self")
                                    json.member("href", link)
                                }
                            }
                        }
                    }
                }
                return PlacementCall.reply(answer, call.microversion?.minor ?? 0)
            }
        ]
    }
}
