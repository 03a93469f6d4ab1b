import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of the supported versions, for all callers.
struct RootRoutes: Sendable {
    let hasCache: Bool

    /// The minor versions of the API, newest first. Versions 2.14 and 2.16 introduced the cache of images, so they are
    /// listed only with a cache.
    private var minors: [Int] { (0...17).reversed().filter { hasCache || ($0 != 14 && $0 != 16) } }

    var all: [Route] {
        [
            .get("/") { versions($0, .multipleChoices) },
            .get("/versions") { versions($0, .ok) },
            .get("/v2") { versions($0, .multipleChoices) },
        ]
    }

    private func versions(_ call: Call, _ status: HTTPResponse.Status) -> Reply {
        .json(status) { json in
            json.array("versions", of: minors) { json, minor in
                json.object { json in
                    json.member("id", "v2.\(minor)")
                    json.member("status", minor == minors.first ? "CURRENT" : "SUPPORTED")
                    json.array("links", of: [call.base + "/v2/"]) { json, link in
                        json.object { json in
                            json.member("rel", "self")
                            json.member("href", link)
                        }
                    }
                }
            }
        }
    }
}
