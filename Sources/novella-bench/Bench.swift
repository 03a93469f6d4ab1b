import ArgumentParser

/// What things cost. The figures and the machines they come from are kept in docs/performance.md.
@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "novella-bench", abstract: "Measure parts of Novella. Build it with -c release.",
        subcommands: [SQLBench.self, ListBench.self, PlacementBench.self, NetworkBench.self])
}
