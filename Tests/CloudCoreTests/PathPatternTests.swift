import Testing

@testable import CloudCore

@Suite("Paths of access rules") struct PathPatternTests {
    /// Compares the answers with those of keystonemiddleware.
    @Test(
        "A brace or a star stands for a segment or a part of one, and two stars for anything",
        arguments: [
            ("/v2.1/servers", "/v2.1/servers", true), ("/v2.1/servers", "/v2.1/servers/", false), ("/v2.1/servers", "/v2.1/server", false),
            ("/v2.1/servers/{server_id}", "/v2.1/servers/a", true), ("/v2.1/servers/{server_id}", "/v2.1/servers/a/b", false),
            ("/v2.1/servers/{server_id}", "/v2.1/servers/", false), ("/v2.1/servers/*", "/v2.1/servers/a", true),
            ("/v2.1/servers/*/action", "/v2.1/servers/a/action", true), ("/v2.1/servers/*/action", "/v2.1/servers/a/b/action", false),
            ("/v2.1/servers/web-*", "/v2.1/servers/web-1", true), ("/v2.1/servers/web-*", "/v2.1/servers/web-", false),
            ("/v2.1/servers/web-*", "/v2.1/servers/db-1", false), ("/v2.1/{kind}-{id}/x", "/v2.1/a-b-c/x", true),
            ("/v2.1/servers/**", "/v2.1/servers/a/b/c", true), ("/v2.1/servers/**", "/v2.1/servers/", true),
            ("/v2.1/servers/**", "/v2.1/servers", false), ("/v2.1/servers**", "/v2.1/servers", true), ("**", "/anything/at/all", true),
            ("/**/action", "/v2.1/servers/a/action", true), ("/**/action", "/v2.1/servers/a/actions", false), ("/**a*b/**c", "/xxa1b/yc", true),
            ("/**a*b/**c", "/xxa1/b/yc", false), ("/a.b", "/axb", false), ("", "", true), ("", "/", false), ("/{open", "/{open", true),
        ])
    func matches(pattern: String, path: String, wanted: Bool) {
        #expect(PathPattern(pattern).matches(path) == wanted)
    }

    @Test("A pattern with many stars passes over the path only once")
    func manyStars() {
        let path = String(repeating: "/a", count: 2000)
        #expect(!PathPattern(String(repeating: "/**", count: 70) + "/zz").matches(path))
        #expect(!PathPattern(String(repeating: "**/*", count: 50) + "z").matches(path))
        #expect(PathPattern(String(repeating: "/**", count: 70)).matches(path))
        #expect(!PathPattern("**").matches(path + path), "a path longer than any that is asked for")
    }
}
