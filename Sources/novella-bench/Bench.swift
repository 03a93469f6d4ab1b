import ArgumentParser

/// A program that measures parts of Novella. The results, with the machines that were used, are in docs/performance.md.
@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "novella-bench", abstract: "Measure parts of Novella. Build it with -c release.",
        subcommands: [SQLBench.self, ListBench.self, PlacementBench.self, NetworkBench.self, CloudBench.self])
}
