import Foundation
import Testing

/// The inner structure of services: the folders and what may be in them.
@Suite("Layers of services")
struct LayerTests {
    /// The folders that a service may have. Three services have one of their own: Identity's hashes and keys, what
    /// Compute tells guests, and Images' client for foreign servers.
    private static let folders: Set<String> = [
        "Access", "Model", "Service", "Store", "Routes", "Workflows", "Reconcilers", "Secrets", "Metadata", "Fetching",
    ]

    @Test("Each assembly is in the list of services")
    func services() throws {
        let assemblies = try House.sources(below: "Sources").filter { $0.name == "\($0.target)Assembly" }.map(\.target)
        #expect(Set(assemblies) == Set(House.services))
    }

    @Test("Each service folder has only the usual folders, and a README", arguments: House.services)
    func serviceFolders(service: String) throws {
        let folder = House.root.appending(path: "Sources/\(service)")
        let entries = try FileManager.default.contentsOfDirectory(
            at: folder, includingPropertiesForKeys: [.isDirectoryKey])
        for entry in entries where try entry.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true {
            #expect(Self.folders.contains(entry.lastPathComponent), "Sources/\(service)/\(entry.lastPathComponent)")
        }
        #expect(FileManager.default.fileExists(atPath: folder.appending(path: "README.md").path))
    }

    @Test("Routes use no SQL and no store, and stores and models use no HTTP", arguments: House.services)
    func layers(service: String) throws {
        for source in try House.sources(below: "Sources/\(service)") {
            for (number, line) in source.lines.enumerated() {
                let place = "\(source.path):\(number + 1): \(line)"
                if source.folders.contains("Routes") {
                    #expect(!line.hasSuffix("import SQL"), "\(place)")
                    #expect(!line.contains(/\b\w*Store\(|\btx\b/), "\(place)")
                }
                if source.folders.contains("Model") || source.folders.contains("Store") {
                    #expect(!line.hasSuffix("import HTTPTypes"), "\(place)")
                }
            }
        }
    }

    /// The one store outside a store folder: it writes the SQL of every declared resource.
    private static let storesElsewhere: Set<String> = ["Sources/Resources/ResourceStore.swift"]

    @Test("SQL text is only in stores")
    func statements() throws {
        for source in try House.product() where source.target != "SQL" && !Self.storesElsewhere.contains(source.path) {
            guard !source.folders.contains("Store"), Self.hasVerb(source.text) else { continue }
            for literal in StringLiterals(of: source.text).all where Self.isStatement(literal.text) {
                Issue.record("\(source.path):\(literal.line): a statement outside a store: \(literal.text)")
            }
        }
    }

    /// A fast first check: few sources contain any of these words.
    private static func hasVerb(_ text: String) -> Bool {
        ["SELECT", "INSERT", "UPDATE", "DELETE"].contains { text.contains($0) }
    }

    private static func isStatement(_ text: String) -> Bool {
        hasVerb(text) && text.contains(/\b(?:SELECT|INSERT|UPDATE|DELETE)\b/) && text.contains(/\b(?:FROM|INTO|SET)\b/)
    }

    @Test("A statement is found in every form of a string literal")
    func literals() {
        // The quotes in these literals are written as ', since this very rule would see them as quotes.
        let found: [(source: String, text: String)] = [
            ("try tx.row('SELECT 1 FROM a', id)", "SELECT 1 FROM a"),
            ("// 'SELECT\nlet a = 'DELETE FROM \\(table(of: 'b')) WHERE c'", "DELETE FROM  WHERE c"),
            ("'''\nUPDATE a\n  SET b = 'c'\n'''", "\nUPDATE a\n  SET b = \"c\"\n"),
            ("#'INSERT INTO a'#", "INSERT INTO a"),
        ]
        for (source, text) in found {
            let literals = StringLiterals(of: source.replacing("'", with: "\"")).all
            #expect(literals.contains { $0.text == text && Self.isStatement($0.text) }, "\(source)")
        }
        let comments = "/* 'SELECT a FROM b' */ a // 'SELECT a FROM b'"
        #expect(StringLiterals(of: comments.replacing("'", with: "\"")).all.isEmpty)
    }
}
