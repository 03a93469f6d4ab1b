import CloudCore
import Testing

@testable import Images

@Suite("URLs to fetch")
struct FetchURLTests {
    @Test(
        "A plain URL is parsed and written in its canonical form",
        arguments: [
            ("http://example.org", "http://example.org:80/"),
            ("HTTPS://Example.ORG/Path?q=1#part", "https://example.org:443/Path?q=1"),
            ("http://example.org:8080/a%20b", "http://example.org:8080/a%20b"),
            ("http://[2001:DB8::1]/x", "http://[2001:db8::1]:80/x"),
            ("http://[::1]:81", "http://[::1]:81/"),
            ("http://192.0.2.1/", "http://192.0.2.1:80/"),
            ("http://example.org./", "http://example.org:80/"),
            ("http://example.org?x=/y", "http://example.org:80/?x=/y"),
            ("http://a_b.example/", "http://a_b.example:80/"),
        ])
    func plain(text: String, expected: String) throws { #expect(try FetchURL(text).description == expected) }

    @Test(
        "ossa_2026_004 A URL that is not plain is refused",
        arguments: [
            "", "example.org", "ftp://example.org/", "file:///etc/passwd", "filesystem:///etc/passwd", "gopher://x/", "data:text/plain,x",
            "http:example.org", "http:/example.org", "http:///etc/passwd", "http://", "http:// example.org/", "http://example.org/a b",
            "http://user@example.org/", "http://user:word@example.org/", "http://example.org@127.0.0.1/", "http://example.org\\@127.0.0.1/",
            "http://1.1.1.1 &@2.2.2.2# @3.3.3.3/", "http://127.0.0.1\t/", "http://example.org:0/", "http://example.org:65536/",
            "http://example.org:x/", "http://example.org:/", "http://example.org:80:81/", "http://[::1/", "http://::1/", "http://[fe80::1%25eth0]/",
            "http://[127.0.0.1]/", "http://2130706433/", "http://127.1/", "http://0x7f000001/", "http://0x7f.1/", "http://0177.0.0.1/", "http://a..b/",
            "http://.example.org/", "http://exämple.org/", "http://%31%32%37.0.0.1/", "http://a%00b/", "http://example.org/\r\nHost:%20x",
            "http://" + String(repeating: "a", count: 64) + ".org/", "http://example.org/" + String(repeating: "a", count: 4096),
        ])
    func ossa_2026_004(text: String) {
        let error = #expect(throws: CloudError.self) { try FetchURL(text) }
        #expect(error?.kind == .badRequest && error?.message.contains("does not pass filtering") == true)
    }

    @Test("The target of a redirect is checked like any URL, and https never leads to http")
    func following() throws {
        let url = try FetchURL("http://example.org:8080/a/b?c=d")
        for (location, expected) in [
            ("/x", "http://example.org:8080/x"), ("x?y", "http://example.org:8080/a/x?y"), ("?z", "http://example.org:8080/a/b?z"),
            ("//other.org/x", "http://other.org:80/x"), ("https://other.org/", "https://other.org:443/"), ("", "http://example.org:8080/a/"),
        ] {
            #expect(try url.following(location).description == expected, "\(location)")
        }
        for location in ["file:///etc/passwd", "javascript:x", "http://u:p@x/", "//u@x/", "gopher://x", "http://[::1", "a b"] {
            #expect(throws: CloudError.self, "\(location)") { try url.following(location) }
        }
        #expect(throws: CloudError.self, "from https to http") { try FetchURL("https://example.org/").following("http://example.org/") }
    }
}
