import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/`, `/v2.1` and `/v2`, which list the versions and need no token.
struct VersionRoutes: RouteGroup {
    static let range = Microversion(2, 1)...Microversion(2, 104)

    var all: [Route] {
        [
            .get("/") { call in
                .json { json in
                    // The old version has the same routes without microversions. Its clients are sent to the new one.
                    json.array("versions", of: [false, true]) { json, isCurrent in
                        Self.write(&json, call.base, isCurrent: isCurrent, media: false)
                    }
                }
            },
            .get("/v2.1") { call in
                .json { json in
                    json.key("version")
                    Self.write(&json, call.base, isCurrent: true, media: true)
                }
            },
            .get("/v2") { call in
                .json { json in
                    json.key("version")
                    Self.write(&json, call.base, isCurrent: false, media: true)
                }
            },
        ]
    }

    private static func write(_ json: inout JSONWriter, _ base: String, isCurrent: Bool, media: Bool) {
        json.object { json in
            json.member("id", isCurrent ? "v2.1" : "v2.0")
            json.member("status", isCurrent ? "CURRENT" : "DEPRECATED")
            json.member("version", isCurrent ? range.upperBound.description : "")
            json.member("min_version", isCurrent ? range.lowerBound.description : "")
            json.member("updated", "2013-07-23T11:33:21Z")
            json.array("links", of: media ? [true, false] : [true]) { json, isSelf in
                json.object { json in
                    json.member("rel", isSelf ? "self" : "describedby")
                    if !isSelf { json.member("type", "text/html") }
                    json.member("href", isSelf ? base + (isCurrent ? "/v2.1/" : "/v2/") : "http://docs.openstack.org/")
                }
            }
            guard media else { return }
            json.array("media-types", of: ["application/vnd.openstack.compute+json;version=\(isCurrent ? "2.1" : "2")"]) { json, type in
                json.object { json in
                    json.member("base", "application/json")
                    json.member("type", type)
                }
            }
        }
    }
}
