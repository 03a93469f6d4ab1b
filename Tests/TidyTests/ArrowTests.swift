import Foundation
import Testing

/// Checks of what each target may import: docs/architecture.md as a table.
@Suite("Arrows between targets")
struct ArrowTests {
    /// The arrows of docs/architecture.md: the targets of ours that each target may import.
    private static let arrows: [String: Set<String>] = [
        "CloudCore": [],
        "SQL": ["CloudCore", "CLibPQ", "CSQLite"],
        "Access": ["CloudCore"],
        "Blobs": ["CloudCore", "CZlib"],
        "ImageFormats": ["CloudCore"],
        "Telemetry": ["CloudCore"],
        "Durable": ["CloudCore", "SQL", "Telemetry"],
        "HostModel": ["CloudCore", "ImageFormats"],
        "HTTPKit": ["CloudCore", "Access", "Telemetry"],
        "Resources": ["CloudCore", "SQL", "Access", "HTTPKit"],
        "ServiceKit": ["SQL", "Access", "Durable", "HTTPKit"],
        "Identity": ["CloudCore", "SQL", "Access", "Durable", "HTTPKit", "Resources", "ServiceKit", "CArgon2"],
        "Placement": ["CloudCore", "SQL", "Access", "HTTPKit", "Resources", "ServiceKit"],
        "Images": [
            "CloudCore", "SQL", "Access", "Durable", "HTTPKit", "Resources", "ServiceKit", "Blobs",
            "ImageFormats", "HostModel",
        ],
        "Networking": ["CloudCore", "SQL", "Access", "HTTPKit", "Resources", "ServiceKit", "HostModel"],
        "BlockStorage": [
            "CloudCore", "HostModel", "SQL", "Access", "Durable", "HTTPKit", "Resources", "ServiceKit", "Blobs",
        ],
        "Compute": ["CloudCore", "HostModel", "SQL", "Access", "Durable", "HTTPKit", "ServiceKit"],
        "Drivers": ["CloudCore", "HostModel", "ImageFormats"],
        "DriverSimulated": ["CloudCore", "HostModel", "Drivers"],
        "DriverFiles": ["CloudCore", "HostModel", "Drivers", "Programs", "ImageFormats"],
        "AgentCore": ["CloudCore", "HostModel", "Drivers"],
        "DriverLibvirt": ["CloudCore", "HostModel", "Drivers", "Programs", "CLibvirt"],
        "DriverLinuxNetwork": ["CloudCore", "HostModel", "Drivers", "Programs", "CHostNetwork"],
        "Programs": ["CloudCore", "CPrograms"],
        "ControlPlane": [
            "CloudCore", "SQL", "Access", "Telemetry", "Durable", "HTTPKit", "ServiceKit", "Blobs", "Identity",
            "Placement", "Images", "Networking", "Compute", "BlockStorage", "AgentCore", "HostModel", "Drivers",
            "DriverSimulated",
            "DriverFiles", "DriverLibvirt", "DriverLinuxNetwork", "ImageFormats",
        ],
        "novella": ["CloudCore", "ControlPlane"],
        "novella-bench": ["CloudCore", "SQL", "HTTPKit", "Resources", "Placement", "HostModel", "Drivers", "DriverLinuxNetwork"],
        "TestSupport": [
            "CloudCore", "SQL", "Access", "Durable", "HTTPKit", "Blobs", "Identity", "Images", "HostModel",
            "AgentCore", "DriverSimulated", "Compute", "ControlPlane",
        ],
    ]

    /// Targets in C: headers of libraries, and code that cannot be written in Swift.
    private static let bindings: Set<String> = [
        "CLibPQ", "CSQLite", "CArgon2", "CLibvirt", "CHostNetwork", "CPrograms", "CZlib",
    ]

    /// Libraries that only a few targets may import.
    private static let quarantined: [String: Set<String>] = [
        "CSQLite": ["SQL"], "CLibPQ": ["SQL"], "CArgon2": ["Identity"], "CLibvirt": ["DriverLibvirt"],
        "CZlib": ["Blobs"],
        "Hummingbird": ["HTTPKit"], "HummingbirdCore": ["HTTPKit"], "HummingbirdTLS": ["HTTPKit"],
        "NIOSSL": ["HTTPKit"], "X509": ["Compute"], "SwiftASN1": ["Compute"],
        "CoreMetrics": ["Telemetry", "HTTPKit", "ControlPlane"], "Tracing": ["Telemetry", "HTTPKit", "Durable"],
        "Yams": ["ControlPlane"], "AsyncHTTPClient": ["Images", "novella"],
        "ArgumentParser": ["novella", "novella-bench"],
    ]

    private static func module(_ line: Substring) -> String? {
        guard line.contains("import ") else { return nil }
        let pattern = /(?:@\w+ )?(?:package |internal |public |private )?import (?:\w+ )?(\w+).*/
        return line.wholeMatch(of: pattern).map { String($0.1) }
    }

    @Test("Imports follow the arrows")
    func imports() throws {
        for source in try House.sources(below: "Sources") where !Self.bindings.contains(source.target) {
            let allowed = try #require(
                Self.arrows[source.target], "\(source.path): a target that docs/architecture.md does not know")
            for (number, line) in source.lines.enumerated() {
                guard let module = Self.module(line) else { continue }
                if Self.arrows[module] != nil || Self.bindings.contains(module) {
                    #expect(allowed.contains(module), "\(source.path):\(number + 1) imports \(module)")
                }
                if let owners = Self.quarantined[module] {
                    #expect(owners.contains(source.target), "\(source.path):\(number + 1) imports \(module)")
                }
            }
        }
    }

    @Test("The arrows are those of Package.swift")
    func manifest() throws {
        let declared = try Self.declared()
        for (target, arrows) in Self.arrows {
            #expect(declared[target]?.intersection(Set(Self.arrows.keys).union(Self.bindings)) == arrows, "\(target)")
        }
    }

    /// Returns the dependencies that Package.swift gives to each target.
    private static func declared() throws -> [String: Set<String>] {
        let text = try House.text(of: "Package.swift").replacing(/\.product\([^)]*\)/, with: "")
        let pattern = /(?:target|executableTarget)\(\s*(?:name: )?"([\w-]+)",\s*(?:dependencies: )?\[([^\]]*)\]/
        return Dictionary(
            text.matches(of: pattern).map { match in
                (String(match.1), Set(match.2.matches(of: /"(\w+)"/).map { String($0.1) }))
            }
        ) { first, _ in first }
    }
}
