// swift-tools-version:6.2
import PackageDescription

/// Every target is built in the Swift 6 language mode with the same strict settings: the arrows of docs/architecture.md
/// are only worth something while the compiler checks them.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let nio: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let asn1: Target.Dependency = .product(name: "SwiftASN1", package: "swift-asn1")
let x509: Target.Dependency = .product(name: "X509", package: "swift-certificates")
let metrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let tracing: Target.Dependency = .product(name: "Tracing", package: "swift-distributed-tracing")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")

/// Makes a target. Each folder explains itself in a README.
func target(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .target(name: name, dependencies: dependencies, exclude: ["README.md"], resources: resources, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], resources: [Resource] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies + ["TestSupport"], exclude: exclude, resources: resources, swiftSettings: strict)
}

let package = Package(
    name: "novella",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "novella", targets: ["novella"])],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.25.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .systemLibrary(name: "CSQLite", path: "Sources/CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CLibPQ", path: "Sources/CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CArgon2", path: "Sources/CArgon2", pkgConfig: "libargon2", providers: [.apt(["libargon2-dev"])]),
        .systemLibrary(name: "CZlib", path: "Sources/CZlib", providers: [.apt(["zlib1g-dev"])]),

        // The kernel.
        target("CloudCore", [crypto]),
        target("SQL", ["CloudCore", "CLibPQ", "CSQLite", log]),
        target("Access", ["CloudCore"]),
        target("Blobs", ["CloudCore", "CZlib", nio, crypto, .product(name: "NIOPosix", package: "swift-nio")]),
        target("ImageFormats", ["CloudCore"]),
        target("Telemetry", ["CloudCore", metrics, tracing]),
        target("Durable", ["CloudCore", "SQL", "Telemetry", log, lifecycle, tracing]),
        target(
            "HTTPKit",
            [
                "CloudCore", "Access", "Telemetry", hummingbird, httpTypes, nio, log, lifecycle, metrics, tracing,
                .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),

        target("Resources", ["CloudCore", "SQL", "Access", "HTTPKit", httpTypes]),
        // Values that services, drivers and agents share.
        target("HostModel", ["CloudCore", "ImageFormats"]),
        target("ServiceKit", ["SQL", "Access", "Durable", "HTTPKit", lifecycle]),

        // The services; none imports another.
        target("Identity", ["CloudCore", "SQL", "Access", "Durable", "HTTPKit", "Resources", "ServiceKit", "CArgon2", crypto, httpTypes, nio, log, lifecycle]),

        target("Placement", ["CloudCore", "SQL", "Access", "HTTPKit", "Resources", "ServiceKit", httpTypes, nio]),

        target(
            "Images",
            [
                "CloudCore", "SQL", "Access", "Durable", "HTTPKit", "Resources", "ServiceKit", "Blobs", "ImageFormats", "HostModel", httpTypes, nio, log, lifecycle, crypto,
                .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
            ]),

        target("Networking", ["CloudCore", "SQL", "Access", "HTTPKit", "Resources", "ServiceKit", "HostModel", httpTypes]),
        target(
            "BlockStorage",
            [
                "CloudCore", "HostModel", "SQL", "Access", "Durable", "HTTPKit", "Resources", "ServiceKit", "Blobs", httpTypes, log,
                lifecycle, crypto, nio,
            ]),
        target(
            "Compute",
            [
                "CloudCore", "HostModel", "SQL", "Access", "Durable", "HTTPKit", "ServiceKit", httpTypes, nio, log, lifecycle, crypto,
                asn1, x509,
            ]),

        // A host with machines; knows no database, no service and no HTTP API.
        target("Drivers", ["HostModel", "CloudCore", "ImageFormats", nio, crypto]),
        target("DriverSimulated", ["Drivers", "HostModel", "CloudCore", nio]),
        target(
            "DriverFiles",
            ["Drivers", "HostModel", "Programs", "CloudCore", "ImageFormats", nio, .product(name: "NIOPosix", package: "swift-nio")]),
        // Swift cannot say this: a child process with limits, in a network namespace.
        .target(name: "CPrograms"),
        target("Programs", ["CloudCore", "CPrograms"]),
        // Swift cannot say this: a thread in another network namespace, a frame.
        .target(name: "CHostNetwork"),
        target("DriverLinuxNetwork", ["Drivers", "HostModel", "Programs", "CHostNetwork", "CloudCore", crypto]),
        target("AgentCore", ["Drivers", "HostModel", "CloudCore", log, nio, .product(name: "NIOPosix", package: "swift-nio")]),
        // libvirt is loaded when the program runs; only its headers are needed here.
        .target(name: "CLibvirt", linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
        target("DriverLibvirt", ["Drivers", "HostModel", "Programs", "CloudCore", "CLibvirt", crypto, .product(name: "NIOPosix", package: "swift-nio")]),

        // The composition root and the binary.
        target(
            "ControlPlane",
            [
                "CloudCore", "SQL", "Access", "Telemetry", "Durable", "HTTPKit", "ServiceKit", "Blobs", "Identity", "Placement",
                "Images", "Networking", "Compute", "BlockStorage", "AgentCore", "Drivers", "HostModel", "DriverSimulated", "DriverFiles", "DriverLibvirt", "DriverLinuxNetwork",
                "ImageFormats", log, lifecycle, crypto, httpTypes, nio, metrics,
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ]),
        .executableTarget(
            name: "novella",
            dependencies: [
                "ControlPlane", "CloudCore", log, nio,
                .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOFoundationCompat", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            exclude: ["README.md"], swiftSettings: strict),

        // Measures; see docs/performance.md.
        .executableTarget(
            name: "novella-bench",
            dependencies: [
                "CloudCore", "SQL", "HTTPKit", "Resources", "Placement", "Drivers", "HostModel", "DriverLinuxNetwork",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        .target(
            name: "TestSupport",
            dependencies: [
                "CloudCore", "SQL", "Access", "Durable", "HTTPKit", "Blobs", "Identity", "Images", "HostModel", "AgentCore", "DriverSimulated", "Compute", "ControlPlane", nio, httpTypes, log, crypto,
            ],
            exclude: ["README.md"], swiftSettings: strict),
        // The suite for every driver; see docs/adding-a-driver.md. Apart from TestSupport, which knows all services and one driver.
        .target(name: "DriverConformance", dependencies: ["Drivers", "HostModel", "CloudCore", "TestSupport", nio], path: "Tests/DriverConformance", swiftSettings: strict),

        tests("CloudCoreTests", ["CloudCore"]),
        tests("SQLTests", ["SQL", "CloudCore"]),
        tests("AccessTests", ["Access", "CloudCore"]),
        .executableTarget(
            name: "BlobsProbe", dependencies: ["Blobs", "CloudCore", nio, crypto], path: "Tests/BlobsProbe", swiftSettings: strict),
        tests("BlobsTests", ["Blobs", "BlobsProbe", "CloudCore", nio, crypto]),
        tests("ImageFormatsTests", ["ImageFormats", "CloudCore"]),
        tests("TelemetryTests", ["Telemetry", "CloudCore", metrics, tracing]),
        tests("DurableTests", ["Durable", "SQL", "CloudCore", "Telemetry", log, lifecycle]),
        tests(
            "HTTPKitTests",
            [
                "HTTPKit", "CloudCore", "Telemetry", nio, httpTypes, log, lifecycle, .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),
        tests("ResourcesTests", ["Resources", "HTTPKit", "SQL", "CloudCore", "Access"]),
        tests("IdentityTests", ["Identity", "HTTPKit", "SQL", "CloudCore", "ControlPlane", "Access", crypto, httpTypes, nio]),
        tests("PlacementTests", ["Placement", "HTTPKit", "SQL", "CloudCore", "ControlPlane", "Access", "Resources", httpTypes]),
        tests(
            "ImagesTests",
            [
                "Images", "Identity", "HTTPKit", "SQL", "CloudCore", "ControlPlane", "Access", "Blobs", "ImageFormats", "Durable", httpTypes, nio, crypto,
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        tests(
            "NetworkingTests",
            ["Networking", "HTTPKit", "SQL", "CloudCore", "ControlPlane", "Access", "Resources", "Identity", "HostModel", "Drivers", "DriverSimulated", httpTypes]),
        tests(
            "ComputeTests",
            [
                "Compute", "HTTPKit", "SQL", "CloudCore", "ControlPlane", "Access", "Durable", "HostModel", httpTypes, log, crypto,
                asn1, x509,
            ]),
        tests(
            "BlockStorageTests",
            [
                "BlockStorage", "HTTPKit", "SQL", "CloudCore", "ControlPlane", "Access", "Resources", "Durable", "HostModel", "Blobs",
                "DriverSimulated", httpTypes, nio,
            ]),
        tests(
            "ControlPlaneTests",
            ["ControlPlane", "ServiceKit", "Access", "Compute", "Drivers", "HostModel", "CloudCore", "HTTPKit", "Identity", "SQL", log, lifecycle, httpTypes]),
        tests("ProgramsTests", ["Programs"]),
        tests("DriverTests", ["Drivers", "HostModel", "DriverSimulated", "DriverFiles", "DriverConformance", "CloudCore", "ImageFormats", nio, crypto]),
        tests("AgentCoreTests", ["AgentCore", "Drivers", "HostModel", "DriverSimulated", "ImageFormats", "CloudCore", log]),
        .executableTarget(
            name: "DriverLibvirtProbe", dependencies: ["DriverLibvirt", "Drivers", "HostModel", "CloudCore", nio], path: "Tests/DriverLibvirtProbe",
            swiftSettings: strict),
        tests(
            "DriverLibvirtTests",
            ["DriverLibvirtProbe", "Drivers", "HostModel", "ImageFormats", "DriverFiles", "DriverLibvirt", "DriverConformance", "CloudCore", "ControlPlane", httpTypes, nio, crypto]),
        tests("HostNetworkTests", ["Drivers", "HostModel", "DriverLinuxNetwork", "DriverSimulated", "Programs", "CHostNetwork", "CloudCore", "ControlPlane", "Compute", log]),
        // Compares the shapes of all that outlives a process with what releases have written; docs/releases.md.
        tests(
            "StoredTests",
            [
                "AgentCore", "BlockStorage", "CloudCore", "Compute", "ControlPlane", "DriverFiles", "DriverLibvirt", "DriverLinuxNetwork", "DriverSimulated", "Drivers",
                "Durable", "HostModel", "Networking", "SQL",
            ]),
        tests("BenchTests", ["novella-bench", "ControlPlane", "Durable", "SQL", "CloudCore", httpTypes]),
        tests("TidyTests", ["ControlPlane", "ServiceKit"], exclude: ["Exceptions"]),
    ]
)
