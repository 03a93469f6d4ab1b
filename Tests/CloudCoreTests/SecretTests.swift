import CloudCore
import Testing

@Suite struct SecretTests {
    private struct Login {
        var name = "ada"
        var password = Secret("hunter2")
        var old: Secret? = Secret("hunter2")
        var more = ["key": Secret("hunter2")]
    }

    @Test("A secret never appears in a description or a dump of itself or its holder")
    func neverPrinted() {
        let secret = Secret("hunter2")
        var texts = ["\(secret)", String(describing: secret), String(reflecting: secret), "\(Login())", String(reflecting: Login())]
        texts.append("\([secret]) \(Optional(secret) as Any) \((secret, 1))")
        for value in [secret, Login(), [secret]] as [Any] {
            var dumped = ""
            dump(value, to: &dumped)
            texts.append(dumped)
        }
        texts.append("\(CloudError(.internalError, "", detail: "\(secret)", cause: Failure(secret: secret)))")
        for text in texts { #expect(!text.contains("hunter2"), "\(text)") }
        #expect("\(secret)" == "***")
        #expect(Mirror(reflecting: secret).children.isEmpty)
        #expect(secret.reveal() == "hunter2")
    }

    private struct Failure: Error {
        var secret: Secret
    }

    @Test("A secret cannot be encoded")
    func notEncodable() {
        #expect(!((Secret("x") as Any) is any Encodable))
    }

    @Test("Secrets are equal exactly if their bytes are equal", arguments: [("", "", true), ("a", "a", true), ("a", "b", false), ("a", "aa", false), ("", "a", false), ("\u{e9}", "e\u{301}", false)])
    func equality(left: String, right: String, same: Bool) {
        #expect((Secret(left) == Secret(right)) == same)
        #expect(constantTimeEquals(left.utf8, right.utf8) == same)
    }
}
