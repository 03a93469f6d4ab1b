import CloudCore
import HTTPKit
import HTTPTypes

/// Which versions there are, for everybody.
struct RootRoutes: Sendable {
    /// Minor versions of the API, newest first. 2.14 and 2.16 came with the cache of images, which this cloud has none of.
    private static let minors = [17, 15, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]

    var all: [Route] {
        [
            .get("/") { versions($0, .multipleChoices) },
            .get("/versions") { versions($0, .ok) },
            .get("/v2") { versions($0, .multipleChoices) },
        ]
    }

    private func versions(_ call: Call, _ status: HTTPResponse.Status) -> Reply {
        .json(status) { json in
            json.array("versions", of: Self.minors) { json, minor in
                json.object { json in
                    json.member("id", "v2.\(minor)")
                    json.member("status", minor == Self.minors.first ? "CURRENT" : "SUPPORTED")
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
