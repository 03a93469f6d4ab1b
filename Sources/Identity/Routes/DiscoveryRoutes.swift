import CloudCore
import HTTPKit
import HTTPTypes

/// The routes `/` and `/v3`, which list the versions. Clients begin here, without a token.
enum DiscoveryRoutes {
    /// The minor version, and the moment of its last change.
    private static let version = (id: "v3.14", updated: "2020-04-07T00:00:00Z")

    static let all: [Route] = [
        .get("/") { call in
            .json(.multipleChoices) { writer in
                writer.object("versions") { writer in
                    writer.array("values", of: [call]) { writer, call in writer.object { describe(call, &$0) } }
                }
            }
        },
        .get("/v3") { call in
            .json { writer in writer.object("version") { describe(call, &$0) } }
        },
    ]

    private static func describe(_ call: Call, _ writer: inout JSONWriter) {
        writer.member("id", version.id)
        writer.member("status", "stable")
        writer.member("updated", version.updated)
        writer.array("links", of: ["\(call.base)/v3/"]) { writer, link in
            writer.object { writer in
                writer.member("rel", "self")
                writer.member("href", link)
            }
        }
        writer.array("media-types", of: ["application/json"]) { writer, base in
            writer.object { writer in
                writer.member("base", base)
                writer.member("type", "application/vnd.openstack.identity-v3+json")
            }
        }
    }
}
