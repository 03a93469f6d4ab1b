import CloudCore
import HTTPKit
import HTTPTypes

/// Which versions there are, for everybody.
struct RootRoutes: Sendable {
    let hasCache: Bool

    /// Minor versions of the API, newest first. 2.14 and 2.16 came with the cache of images: they are there if it is.
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
