import HTTPKit
import Testing

@Suite struct MediaRangesTests {
    private static let forms = ["text/html", "application/json"]

    @Test(
        "The client's preferred form is chosen, and the first one of several equals",
        arguments: [
            ("*/*", "text/html"), ("text/html", "text/html"), ("TEXT/HTML", "text/html"), ("application/json", "application/json"),
            ("application/*", "application/json"), ("application/json, */*", "text/html"), ("application/json, */*;q=0.5", "application/json"),
            ("text/html;q=0.2, application/json;q=0.3", "application/json"), ("*/*, text/html;q=0", "application/json"),
            ("*/*;q=0.1, text/*;q=0.2, text/html;q=0.05", "application/json"), (" , application/json ;q=1.000 ,", "application/json"),
            ("text/html;level=1, application/json;q=0.1", "application/json"), ("application/json;q=0.1;ext=1", "application/json"),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
        ])
    func best(accept: String, form: String) {
        #expect(MediaRanges(accept).best(of: Self.forms) == form)
    }

    @Test(
        "No form is chosen if the client accepts none",
        arguments: ["", ",", "text/plain", "application/xml, image/*", "*/*;q=0", "text/html;q=0, application/json;q=0.000", "text/html;level=1"])
    func none(accept: String) {
        #expect(MediaRanges(accept).best(of: Self.forms) == nil)
    }

    @Test(
        "A malformed Accept header accepts everything",
        arguments: ["html", "text/", "/html", "text/html/x", "text/html;q=2", "text/html;q=0.1234", "text/html;q=", "*/html", "text html", "a b/c;q"])
    func broken(accept: String) {
        #expect(MediaRanges(accept).best(of: Self.forms) == "text/html")
    }
}
