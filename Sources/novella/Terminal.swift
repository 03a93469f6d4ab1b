import ControlPlane
import Foundation

/// The output of the commands.
enum Terminal {
    /// Writes a result to standard output.
    static func say(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

    /// Writes progress to standard error, without a new line.
    static func progress(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }

    /// Writes an error to standard error.
    static func complain(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
}

enum ProcessSetup {
    static func makeFilesPrivate() { umask(0o077) }

    static var environment: [String: String] { ProcessInfo.processInfo.environment }
    static var isRoot: Bool { geteuid() == 0 }
}
