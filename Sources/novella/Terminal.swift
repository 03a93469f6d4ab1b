import ControlPlane
import Foundation

/// What the commands say to whoever started them.
enum Terminal {
    /// Results: standard output.
    static func say(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

    /// How far something is: standard error, without a new line.
    static func progress(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }

    /// What went wrong: standard error.
    static func complain(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
}

enum ProcessSetup {
    static func makeFilesPrivate() { umask(0o077) }

    static var environment: [String: String] { ProcessInfo.processInfo.environment }
    static var isRoot: Bool { geteuid() == 0 }
}
