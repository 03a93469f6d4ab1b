import BlockStorage
import Logging

/// The level of the process's log in the words of Block Storage, which are Python's.
struct LogsForBlockStorage: BlockStorageLogs {
    let dial: LogDial

    /// The words that can be set, and the levels that they mean.
    private static let words: [(word: LogWord, level: Logger.Level)] = [
        (.debug, .debug), (.info, .info), (.warning, .warning), (.error, .error),
    ]

    var level: LogWord {
        // Levels without a word of their own are shown as the next one that logs less.
        Self.words.first { dial.level <= $0.level }?.word ?? .error
    }

    func set(_ level: LogWord) {
        if let found = Self.words.first(where: { $0.word == level }) { dial.level = found.level }
    }
}
