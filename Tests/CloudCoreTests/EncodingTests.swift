import CloudCore
import TestSupport
import Testing

@Suite struct EncodingTests {
    @Test("Base64URL encodes and decodes RFC 4648's vectors, without padding", arguments: [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"), ("foobar", "Zm9vYmFy")])
    func base64(text: String, encoded: String) {
        #expect(Base64URL.encode(Array(text.utf8)) == encoded)
        #expect(Base64URL.decode(encoded) == Array(text.utf8))
    }

    @Test("Base64URL refuses padding, other alphabets and texts that are not canonical", arguments: ["Zg==", "Zm9v=", "a", "Zh", "Zm9", "+/+/", "Zm 9", "Zm9v\n", "é"])
    func base64Refused(text: String) {
        #expect(Base64URL.decode(text) == nil)
    }

    @Test("Bytes of every length survive Base64URL and hexadecimal encoding")
    func roundTrips() {
        let random = SeededRandomness(seed: 3)
        for count in 0..<100 {
            let bytes = random.bytes(count)
            #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
            #expect(Hex.bytes(Hex.text(bytes)) == bytes)
            #expect(Hex.bytes(Hex.text(bytes).uppercased()) == bytes)
        }
        #expect(Base64URL.encode([0xfb, 0xff, 0xbf]) == "-_-_")
    }

    @Test(
        "Hexadecimal text has two digits for each byte, and other text is refused",
        arguments: ["0", "0g", "abc", "é0", " 0", "0x"])
    func hexRefused(text: String) {
        #expect(Hex.bytes(text) == nil)
        #expect(Hex.text([0, 0x0f, 0xab]) == "000fab")
    }

    @Test("A UUID derived from a name is the one of RFC 9562, and another name gives another UUID")
    func derived() {
        // Appendix A.4 of the RFC; the namespace is DNS.
        let dns = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
        #expect(UUIDText.derived(from: "www.example.com", in: dns) == "2ed6657d-e927-568b-95e1-2665a8aea6a2")
        #expect(UUIDText.derived(from: "www.example.org", in: dns) != "2ed6657d-e927-568b-95e1-2665a8aea6a2")
    }

    @Test("A random UUID has the version and the variant of RFC 9562, and none comes twice")
    func drawn() {
        let random = SeededRandomness(seed: 5)
        var seen: Set<String> = []
        for _ in 0..<100 {
            let uuid = random.uuid()
            #expect(uuid.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil)
            #expect(random.hexID().wholeMatch(of: /[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}/) != nil)
            seen.insert(uuid)
        }
        #expect(seen.count == 100)
        #expect(SeededRandomness(seed: 5).bytes(8) == SeededRandomness(seed: 5).bytes(8))
    }
}
