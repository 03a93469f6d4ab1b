import ArgumentParser
import CloudCore
import ControlPlane

struct Up: ReportingCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the cloud in the foreground.",
        discussion: """
            Prints one line, `ready URL`, once it serves; its log goes to standard error. It stops on SIGTERM and SIGINT: \
            requests under way end, then it exits with 0.

            Examples:
              novella up --simulate
              novella up --simulate --hosts 0 --listen 127.0.0.1:8080
              NOVELLA_LOG_LEVEL=debug novella up --config novella.yaml
            """)

    @Flag(help: "Simulate the hosts: no root, no hypervisor.")
    var simulate = false

    @ArgumentParser.Option(help: ArgumentHelp("How many hosts to simulate; may be 0.", valueName: "n"))
    var hosts: Int?

    @ArgumentParser.Option(help: ArgumentHelp("Where to listen.", discussion: "Default: 127.0.0.1:5000.", valueName: "addr:port"))
    var listen: String?

    @OptionGroup var common: CommonOptions

    mutating func validate() throws {
        if hosts != nil, !simulate { throw ValidationError("--hosts goes with --simulate.") }
    }

    func work() async throws {
        var flags: [LoadedConfiguration.Flag] = []
        if simulate { flags.append(.init("--simulate", sets: "simulate.enabled", to: "true")) }
        if let hosts { flags.append(.init("--hosts", sets: "simulate.hosts", to: "\(hosts)")) }
        if let listen { flags.append(.init("--listen", sets: "server.listen", to: listen)) }
        let configuration = try common.load(flags).configuration
        let process = try await CloudProcess.start(
            configuration, directory: configuration.stateDirectory, world: .real, log: configuration.logger
        ) { url in
            Terminal.say("ready \(url)")
        }
        try await process.run()
    }
}
