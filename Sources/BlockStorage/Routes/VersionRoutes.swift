import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/` and `/v3`, which list the versions and need no token.
struct VersionRoutes: RouteGroup {
    static let range = Microversion(3, 0)...Microversion(3, 71)

    var all: [Route] {
        [
            .get("/") { call in Self.versions(.multipleChoices, call.base) },
            .get("/v3") { call in Self.versions(.ok, call.base) },
        ]
    }

    private static func versions(_ status: HTTPResponse.Status, _ base: String) -> Reply {
        .json(status) { json in
            json.array("versions", of: [base]) { json, base in
                json.object { json in
                    json.member("id", "v3.0")
                    json.member("status", "CURRENT")
                    json.member("version", range.upperBound.description)
                    json.member("min_version", range.lowerBound.description)
                    json.member("updated", "2023-08-31T00:00:00Z")
                    json.array("links", of: [true, false]) { json, isSelf in
                        json.object { json in
                            json.member("rel", isSelf ? "self" : "describedby")
                            if !isSelf { json.member("type", "text/html") }
                            json.member("href", isSelf ? base + "/v3/" : "https://docs.openstack.org/")
                        }
                    }
                    json.array("media-types", of: ["application/vnd.openstack.volume+json;version=3"]) { json, type in
                        json.object { json in
                            json.member("base", "application/json")
                            json.member("type", type)
                        }
                    }
                }
            }
        }
    }
}
