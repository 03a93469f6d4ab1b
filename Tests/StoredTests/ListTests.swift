import CloudCore
import Foundation
import TestSupport
import Testing

@Suite("The list of stored types") struct ListTests {
    private static let root = KeptShapes.folder.deletingLastPathComponent().deletingLastPathComponent()

    static func sources() throws -> [(path: String, text: String)] {
        let base = root.appending(path: "Sources")
        let files = FileManager.default.enumerator(at: base, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL } ?? []
        return try files.filter { $0.pathExtension == "swift" }.map { ($0.path, try String(contentsOf: $0, encoding: .utf8)) }
    }

    @Test("Each type that declares a stored name is in the list")
    func values() throws {
        let listed = Set(StoredShapes.values.map { $0.storedName })
        var declared: Set<String> = []
        for (path, text) in try Self.sources() {
            for match in text.matches(of: /static (?:let|var) storedName(?:: String)? (?:= |\{ )"([^"\\]+)"/) {
                declared.insert(String(match.1))
                #expect(listed.contains(String(match.1)), "\(path) stores \(match.1), which is not in Tests/StoredTests/StoredShapes.swift")
            }
        }
        #expect(declared.count > 15)
    }

    @Test("Each kind of record that a host keeps is in the list")
    func records() throws {
        let listed = Set(StoredShapes.values.map { "\($0)" })
        for (path, text) in try Self.sources() {
            for match in text.matches(of: /FencedRecords<([A-Z]\w+)>/) where match.1 != "Value" {
                #expect(listed.contains("FencedRecord<\(match.1)>"), "\(path) keeps records of \(match.1)")
            }
        }
    }
}
