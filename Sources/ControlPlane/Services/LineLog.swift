package import CloudCore
import Foundation
package import Logging

/// A log handler that writes each record to standard error as one line, for tools that read lines.
package struct LineLog: LogHandler {
    /// The level of this logger alone; nil for the level of the dial.
    private var ownLevel: Logger.Level?
    private let dial: LogDial
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    private let clock: any WallClock
    private let write: @Sendable (String) -> Void

    package init(
        _ dial: LogDial, clock: any WallClock, write: @escaping @Sendable (String) -> Void = Self.standardError
    ) {
        self.dial = dial
        self.clock = clock
        self.write = write
    }

    package var logLevel: Logger.Level {
        get { ownLevel ?? dial.level }
        set { ownLevel = newValue }
    }

    package static let standardError: @Sendable (String) -> Void = { line in
        // One call writes the whole line, so that lines of several threads do not mix.
        FileHandle.standardError.write(Data(line.utf8))
    }

    /// Returns the logger of the process.
    package static func logger(level: String, clock: any WallClock) -> Logger {
        LogDial.process.level = Logger.Level(rawValue: level) ?? .info
        return Logger(label: "novella") { _ in LineLog(.process, clock: clock) }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var line = "\(clock.now.iso8601Microseconds) \(event.level.rawValue) \(Self.oneLine("\(event.message)"))"
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(Self.value("\(value)"))" }
        if let error = event.error { line += " error=\(Self.value("\(error)"))" }
        write(line + "\n")
    }

    private static func value(_ text: String) -> String {
        let line = oneLine(text)
        return line.isEmpty || line.contains(" ") ? "\"\(line.replacing("\"", with: "\\\""))\"" : line
    }

    /// Returns a text without control characters, so that text from outside cannot begin a line of its own.
    private static func oneLine(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 < 32 || $0 == 127 }) else { return text }
        return String(text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? " " : Character($0) })
    }
}
