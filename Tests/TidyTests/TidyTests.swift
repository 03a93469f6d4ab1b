import Foundation
import Testing

/// The house's rules that keep the architecture true. A rule is a line here or it is none.
///
/// An exception is a comment on the line itself: `// tidy: allow force-unwrap, a constant`. It names the rule and says why.
@Suite("House rules")
struct TidyTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    struct Source: CustomTestStringConvertible {
        let target: String
        /// From the repository's root.
        let path: String
        let lines: [String]

        var testDescription: String { path }
    }

    private static func sources(below folder: String) throws -> [Source] {
        let base = root.appending(path: folder)
        let files = FileManager.default.enumerator(at: base, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL } ?? []
        return try files.filter { $0.pathExtension == "swift" }.map { file in
            let path = String(file.path.dropFirst(root.path.count + 1))
            return Source(
                target: path.split(separator: "/").dropFirst().first.map(String.init) ?? "", path: path,
                lines: try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n"))
        }.sorted { $0.path < $1.path }
    }

    @Test("Each test that docs/security.md names is there")
    func advisories() throws {
        let page = try String(contentsOf: Self.root.appending(path: "docs/security.md"), encoding: .utf8)
        let named = page.matches(of: /`(\w+Tests)\.(ossa_\w+)`/).map { (suite: String($0.1), test: String($0.2)) }
        #expect(named.count > 20)
        let sources = try Self.sources(below: "Tests")
        for (suite, test) in named {
            let isThere = sources.contains { source in
                source.path.hasSuffix("/\(suite).swift") && source.lines.contains { $0.contains("func \(test)(") }
            }
            #expect(isThere, "there is no \(suite).\(test)")
        }
    }

    /// The arrows of docs/architecture.md: what each target of ours may import of ours.
    private static let arrows: [String: Set<String>] = [
        "CloudCore": [],
        "SQL": ["CloudCore", "CLibPQ"],
        "Access": ["CloudCore"],
        "Blobs": ["CloudCore"],
        "ImageFormats": ["CloudCore"],
        "Durable": ["CloudCore", "SQL"],
        "HTTPKit": ["CloudCore", "Access"],
        "Resources": ["CloudCore", "SQL", "Access", "HTTPKit"],
        "Identity": ["CloudCore", "SQL", "Access", "Durable", "HTTPKit", "Resources", "CArgon2"],
        "Placement": ["CloudCore", "SQL", "Access", "HTTPKit", "Resources"],
        "Images": ["CloudCore", "SQL", "Access", "Durable", "HTTPKit", "Resources", "Blobs", "ImageFormats"],
        "Networking": ["CloudCore", "SQL", "Access", "HTTPKit", "Resources", "Drivers"],
        "Compute": ["CloudCore", "SQL", "Access", "Durable", "HTTPKit"],
        "Drivers": ["CloudCore", "ImageFormats"],
        "DriverSimulated": ["CloudCore", "Drivers"],
        "AgentCore": ["CloudCore", "Drivers"],
        "DriverLibvirt": ["CloudCore", "Drivers", "CLibvirt"],
        "DriverLinuxNetwork": ["CloudCore", "Drivers", "CHostNetwork"],
        "ControlPlane": [
            "CloudCore", "SQL", "Access", "Durable", "HTTPKit", "Resources", "Blobs", "Identity", "Placement", "Images", "Networking",
            "Compute", "AgentCore", "Drivers", "DriverSimulated", "DriverLibvirt",
            "DriverLinuxNetwork", "ImageFormats",
        ],
        "novella": ["CloudCore", "ControlPlane"],
        "novella-bench": ["CloudCore", "ControlPlane", "SQL", "Placement", "Drivers", "DriverLinuxNetwork"],
        "TestSupport": [
            "CloudCore", "SQL", "Access", "Durable", "HTTPKit", "Blobs", "Resources", "Identity", "Images", "Compute",
            "ControlPlane",
        ],
    ]

    /// Targets in C: headers of libraries, and what Swift cannot say.
    private static let bindings: Set<String> = ["CLibPQ", "CArgon2", "CLibvirt", "CHostNetwork"]

    /// Libraries that one target alone knows.
    private static let quarantined: [String: Set<String>] = [
        "GRDB": ["SQL"], "CLibPQ": ["SQL"], "Hummingbird": ["HTTPKit"], "HummingbirdCore": ["HTTPKit"], "HummingbirdTLS": ["HTTPKit"],
        "NIOSSL": ["HTTPKit"], "Yams": ["ControlPlane"], "AsyncHTTPClient": ["Images", "novella"], "CArgon2": ["Identity"], "CLibvirt": ["DriverLibvirt"], "ArgumentParser": ["novella", "novella-bench"],
    ]

    private static func imports(_ line: String) -> String? {
        line.wholeMatch(of: /(?:@\w+ )?(?:package |internal |public |private )?import (?:\w+ )?(\w+).*/).map { String($0.1) }
    }

    @Test("Imports follow the arrows")
    func imports() throws {
        for source in try Self.sources(below: "Sources") where !Self.bindings.contains(source.target) {
            let allowed = try #require(Self.arrows[source.target], "\(source.path): a target that docs/architecture.md does not know")
            for (number, line) in source.lines.enumerated() {
                guard let module = Self.imports(line) else { continue }
                if Self.arrows[module] != nil || Self.bindings.contains(module) {
                    #expect(allowed.contains(module), "\(source.path):\(number + 1) imports \(module)")
                }
                if let owners = Self.quarantined[module] {
                    #expect(owners.contains(source.target), "\(source.path):\(number + 1) imports \(module)")
                }
            }
        }
    }

    /// What product code does not do: the word of the exception, and how it is recognised.
    private static var banned: [(name: String, pattern: Regex<Substring>)] {
        [
            ("Date", #/\bDate\(\)/#), ("UUID", #/\bUUID\(\)/#), ("print", #/(?:^|[^\w.])print\(/#),
            // What is stored is read and written by `StoredJSON` alone, so that it is declared (docs/releases.md).
            ("JSONDecoder", #/\bJSONDecoder\(/#), ("JSONEncoder", #/\bJSONEncoder\(/#), ("task", #/\bTask(?:\.detached)? \{/#),
            ("try!", #/\btry!/#), ("fatalError", #/\bfatalError\(/#), ("as!", #/\bas! /#), ("force-unwrap", #/(?!try!|as!)\b\w+!(?![=\w])|[)\]]!(?!=)/#),
        ]
    }

    @Test("Product code takes time and chance from the world, and never crashes on purpose")
    func bannedWords() throws {
        for source in try Self.sources(below: "Sources") where source.target != "TestSupport" {
            for (number, line) in source.lines.enumerated() {
                let code = line.replacing(/"(?:[^"\\]|\\.)*"/, with: "\"\"").replacing(/\/\/.*/, with: "")
                for (name, pattern) in Self.banned where code.contains(pattern) {
                    #expect(line.contains("tidy: allow \(name)"), "\(source.path):\(number + 1) has \(name): \(line)")
                }
            }
        }
    }

    @Test("ossa_2014_024 ossa_2014_002 What is signed or secret is compared in constant time, and never by ==")
    func constantTime() throws {
        // Values of the type Secret may be: their == is the comparison that takes the same time for all.
        let patterns = [
            #/\b\w*(?:[sS]ignature|[hH]mac|HMAC|[pP]asscode|[vV]erifier)(?:\.\w+)? *(?:==|!=) *(?!nil)/#,
            #/(?:==|!=) *(?:\w+\.)*(?:[sS]ignature|[hH]mac|HMAC|[pP]asscode|[vV]erifier)\b/#,
        ]
        for source in try Self.sources(below: "Sources") where source.target != "TestSupport" {
            for (number, line) in source.lines.enumerated() where line.contains(" == ") || line.contains(" != ") {
                // First what is fast: few lines are about any of these.
                guard ["ignature", "mac", "HMAC", "asscode", "erifier"].contains(where: { line.contains($0) }) else { continue }
                let code = line.replacing(/"(?:[^"\\]|\\.)*"/, with: "\"\"").replacing(/\/\/.*/, with: "")
                for pattern in patterns { #expect(!code.contains(pattern), "\(source.path):\(number + 1): \(line)") }
            }
        }
    }

    @Test("Each service folder has the same inside")
    func serviceFolders() throws {
        let known: Set<String> = ["Access", "Model", "Service", "Store", "Routes", "Workflows", "Reconcilers", "Secrets", "Metadata"]
        for service in ["Identity", "Placement", "Networking", "Compute"] {
            let folder = Self.root.appending(path: "Sources/\(service)")
            let entries = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: [.isDirectoryKey])
            for entry in entries where try entry.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true {
                #expect(known.contains(entry.lastPathComponent), "Sources/\(service)/\(entry.lastPathComponent)")
            }
            #expect(FileManager.default.fileExists(atPath: folder.appending(path: "\(service)Assembly.swift").path))
            #expect(FileManager.default.fileExists(atPath: folder.appending(path: "README.md").path))
        }
    }

    @Test("SQL text stands in stores, HTTP in routes")
    func layers() throws {
        for source in try ["Identity", "Placement", "Networking", "Compute"].flatMap({ try Self.sources(below: "Sources/\($0)") }) {
            let folder = source.path.split(separator: "/").dropFirst(2).first.map(String.init) ?? ""
            for (number, line) in source.lines.enumerated() {
                if folder == "Routes" { #expect(Self.imports(line) != "SQL", "\(source.path):\(number + 1): a route that knows SQL") }
                if folder == "Model" || folder == "Store" {
                    #expect(Self.imports(line) != "HTTPTypes", "\(source.path):\(number + 1): a store or model that knows HTTP")
                }
            }
        }
    }

    @Test("Nothing is left for later without an issue")
    func leftovers() throws {
        for source in try Self.sources(below: "Sources") + Self.sources(below: "Tests") where !source.path.hasSuffix("TidyTests.swift") {
            for (number, line) in source.lines.enumerated() {
                #expect(!line.contains("TODO") && !line.contains("FIXME"), "\(source.path):\(number + 1)")
                #expect(!line.contains(/^(<<<<<<<|>>>>>>>)/), "\(source.path):\(number + 1)")
            }
        }
    }
}
