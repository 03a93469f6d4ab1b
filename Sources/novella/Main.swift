import ArgumentParser

/// Where the process begins.
@main
enum Main {
    static func main() async {
        // Files that are made are for their owner alone, unless something says otherwise.
        ProcessSetup.makeFilesPrivate()
        // The one place for what must be set up before anything runs concurrently, as another global executor.
        await Novella.main()
    }
}
