import SQL
import Testing

@testable import Images

@Suite struct ImagesTests {
    @Test("Images is wired") func wired() { #expect(ImagesAssembly.schema.service == "images") }
}
