import Testing

@testable import Identity

@Suite("Password hashes")
struct PasswordHashTests {
    /// A hash from the reference implementation's `argon2` command: `echo -n password | argon2 somesalt -id -t 2 -k
    /// 65536 -p 1 -l 32`.
    private let known = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"

    @Test("A hash that other software computed can be verified")
    func interoperable() throws {
        let hash = try #require(PasswordHash(text: known))
        #expect(try hash.matches(Array("password".utf8)))
        #expect(try !hash.matches(Array("Password".utf8)))
    }

    @Test("A hash survives conversion to text and back")
    func roundTrip() throws {
        let made = try PasswordHash(of: Array("pass".utf8), salt: Array("0123456789abcdef".utf8), .negligible)
        let read = try #require(PasswordHash(text: made.text))
        #expect(read.hash == made.hash && read.salt == made.salt && read.cost == made.cost)
        #expect(try read.matches(Array("pass".utf8)))
    }

    @Test(
        "Text that is not one of our hashes is refused",
        arguments: ["", "$2b$12$abc", "$argon2id$v=19$m=9999999,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "$argon2id$v=19$m=8,t=1,p=1$c2$CT"])
    func refused(text: String) { #expect(PasswordHash(text: text) == nil) }
}
