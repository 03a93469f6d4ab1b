import CloudCore
import Foundation
import Testing

@testable import ControlPlane

@Suite struct ConfigurationTests {
    private func load(_ text: String, _ environment: [String: String] = [:], flags: [LoadedConfiguration.Flag] = []) throws
        -> LoadedConfiguration
    { try .load(text: text, name: "n.yaml", environment: environment, flags: flags) }

    private func problems(_ text: String, _ environment: [String: String] = [:]) -> [String] {
        do {
            _ = try load(text, environment)
            return []
        } catch {
            return (error as? ConfigurationError)?.problems ?? ["\(error)"]
        }
    }

    @Test func anEmptyConfigurationIsValid() throws {
        for text in ["", "# only a comment\n", "server:\n"] { #expect(try load(text).configuration == Configuration()) }
    }

    @Test func thereAreAtMostSixtyOptionsAndEachExistsOnce() {
        #expect(Option.all.count <= 60)
        #expect(Option.byPath.count == Option.all.count)
        #expect(Option.sections.count == Set(Option.sections).count, "options of a section stand together")
    }

    @Test func everyDefaultIsAValidValueOfItsOption() throws {
        for option in Option.all {
            switch option.standard {
            case .nothing: #expect(try option.value(nil as String?) == .nothing, "\(option.path)")
            case .text(let text): #expect(try option.value(text) == option.standard, "\(option.path)")
            case .integer(let number): #expect(try option.value("\(number)") == option.standard, "\(option.path)")
            case .flag(let flag): #expect(try option.value("\(flag)") == option.standard, "\(option.path)")
            case .list(let items): #expect(try option.value(list: items) == option.standard, "\(option.path)")
            }
        }
    }

    @Test func anUnknownOptionIsReportedWithItsLineAndTheNearestOne() {
        #expect(
            problems("server:\n  listen: 127.0.0.1:1\n  max_conections: 3\n") == [
                "n.yaml:3: there is no option 'server.max_conections'; did you mean 'server.max_connections'?"
            ])
        #expect(problems("sever:\n  listen: x\n") == ["n.yaml:1: there is no section 'sever'; did you mean 'server'?"])
        #expect(problems("log:\n  expiration: 3\n").first?.hasSuffix("did you mean 'token.expiration'?") == true)
        #expect(
            problems("", ["NOVELLA_SERVER_LISTN": "x"]) == [
                "environment: there is no option NOVELLA_SERVER_LISTN; did you mean 'NOVELLA_SERVER_LISTEN'?"
            ])
        #expect(problems("", ["NOVELLA_STATE": "/x"]).isEmpty, "what is no option's section belongs to somebody else")
    }

    @Test func everyProblemIsReported() {
        let found = problems(
            """
            server:
              max_connections: 0
              listen: nowhere
            token:
              expiration: soon
            log:
              access: maybe
              level: loud
            """)
        #expect(
            found == [
                "n.yaml:2: server.max_connections is 0 and must be from 1 to 1000000",
                "n.yaml:3: server.listen is 'nowhere' and must be ADDRESS:PORT, as 127.0.0.1:5000 or [::1]:5000",
                "n.yaml:5: token.expiration is 'soon' and must be a whole number",
                "n.yaml:7: log.access is 'maybe' and must be true or false",
                "n.yaml:8: log.level is 'loud' and must be one of: trace, debug, info, notice, warning, error, critical",
            ])
    }

    @Test(arguments: [
        "- a\n", "server: 3\n", "server:\n  listen: [a, b]\n", "server:\n  listen:\n    a: b\n", "a: [",
        "server:\n  tls_key: /k.pem\n", "server:\n  public_url: cloud\n", "server:\n  public_url: http://cloud/\n",
        "database:\n  connection: mysql://x\n", "security_compliance:\n  password_regex: '['\n", "token:\n  expiration: ~\n",
        "server:\n  listen: 127.0.0.1:5000\n  listen: 127.0.0.1:5001\n",
    ])
    func anInvalidConfigurationIsRefused(_ text: String) {
        #expect(problems(text).count == 1)
    }

    @Test func theCommandLineOverridesTheEnvironmentWhichOverridesTheFile() throws {
        let file = "server:\n  listen: 127.0.0.1:1\n  max_connections: 1\n  max_header_size: 5000\n"
        let environment = ["NOVELLA_SERVER_LISTEN": "127.0.0.1:2", "NOVELLA_SERVER_MAX_CONNECTIONS": "2", "PATH": "/bin"]
        let loaded = try load(file, environment, flags: [.init("--listen", sets: "server.listen", to: "127.0.0.1:3")])
        #expect(loaded.configuration.server.listen == "127.0.0.1:3")
        #expect(loaded.configuration.server.maxConnections == 2)
        #expect(loaded.configuration.server.maxHeaderSize == 5000)
        #expect(loaded.sources["server.listen"] == .commandLine("--listen"))
        #expect(loaded.sources["server.max_connections"] == .environment("NOVELLA_SERVER_MAX_CONNECTIONS"))
        #expect(loaded.sources["server.max_header_size"] == .file("n.yaml", line: 4))
        #expect(loaded.sources["log.level"] == nil)
    }

    @Test func aListIsAYAMLListInTheFileAndCommaSeparatedInTheEnvironment() throws {
        let origins = ["https://a.test", "https://b.test"]
        #expect(try load("server:\n  allowed_origin: [https://a.test, https://b.test]").configuration.server.allowedOrigins == origins)
        let environment = ["NOVELLA_SERVER_ALLOWED_ORIGIN": "https://a.test, https://b.test"]
        #expect(try load("", environment).configuration.server.allowedOrigins == origins)
    }

    @Test func shownOptionsHaveTheirSourceAndReadBackAsTheSame() throws {
        let loaded = try load(
            "token:\n  expiration: 600\nsecurity_compliance:\n  password_regex: '^(?=.*\\d).{8,}$'\n", ["NOVELLA_LOG_LEVEL": "debug"])
        let shown = loaded.yaml
        #expect(shown.contains("  expiration: 600                                       # n.yaml:2\n"))
        #expect(shown.contains("  level: debug                                          # environment NOVELLA_LOG_LEVEL\n"))
        #expect(shown.contains("  listen: \"127.0.0.1:5000\"                              # default\n"))
        #expect(try load(shown).configuration == loaded.configuration)
    }

    @Test(arguments: ["postgresql://u:s3cret@host/db", "postgresql://u:s3cr@et@host/db", "postgresql://host/db?user=u&password=s3cret"])
    func aPasswordIsNeverShown(_ connection: String) throws {
        let loaded = try load("database:\n  connection: \(connection)\n")
        #expect(loaded.configuration.database.connection?.reveal() == connection)
        #expect(!loaded.yaml.contains("s3c"))
        #expect(loaded.yaml.contains("***"))
        #expect(!"\(loaded.configuration)".contains("s3c"))
    }

    @Test func theDocumentationHasTheCurrentTableOfOptions() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/configuration.md"), encoding: .utf8)
        #expect(text.contains(Option.markdown), "run `make docs`")
    }

    @Test func anAddressToListenOnHasAHostAndAPort() {
        #expect(ListenAddress("[::1]:5000").map { [$0.host, "\($0.port)"] } == ["::1", "5000"])
        #expect(ListenAddress("cloud.test:0")?.url(port: 7, isTLS: true) == "https://cloud.test:7")
        #expect(ListenAddress("[::]:1")?.url(port: 1, isTLS: false) == "http://[::1]:1")
        for text in ["", ":5000", "5000", "a:70000", "::1:5000", "[::1]", "[a]:1", "a b:1", "a:-1"] {
            #expect(ListenAddress(text) == nil, "\(text)")
        }
    }
}
