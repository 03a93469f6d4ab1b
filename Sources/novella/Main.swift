import ArgumentParser

/// The entry point of the process.
@main
enum Main {
    static func main() async {
        // New files are readable only for their owner, unless other code sets other rights.
        ProcessSetup.makeFilesPrivate()
        // Anything that must be set up before concurrent code runs, such as another global executor, belongs here.
        await Novella.main()
    }
}
