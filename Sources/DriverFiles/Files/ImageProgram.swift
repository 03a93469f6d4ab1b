import CloudCore
import Foundation
import HostModel
import Programs

/// Runs of `qemu-img`, which reads bytes that guests wrote: with limits, a deadline, and every format named.
enum ImageProgram {
    static let program = "/usr/bin/qemu-img"

    /// The bounds of a run.
    struct Bounds {
        /// The seconds after which the program is killed, and of its CPU time.
        var seconds: Int
        var memoryBytes: UInt = 1 << 30

        /// The bounds for making or sizing a file.
        static let short = Bounds(seconds: 120)
    }

    /// A copy of all bytes of a file.
    struct Copy {
        var source: String
        var format: VolumeFormat
        /// Whether a machine may begin to use the source meanwhile.
        var isShared = false
        /// Whether the file systems take reads and writes past the page cache.
        var isDirect: Bool
        var seconds: Int
        /// Is told the percentage.
        var tell: (Int) -> Void
        var isUnwanted: () -> Bool

        /// Copies into a draft that exists, has room and is zeros.
        func callAsFunction(into target: TargetFile) throws(CloudError) {
            // Pages for gigabytes that are seldom read twice cost more than the disk. Out of order and with many
            // requests, the copy is as fast as the disk.
            let cache = isDirect ? "none" : "writeback"
            let words =
                ["convert", "-p", "-n", "--target-is-zero", "-W", "-m", "8", "-t", cache, "-T", cache]
                + (isShared ? ["-U"] : []) + ["-f", format.rawValue, "-O", target.format.rawValue, source, target.draft]
            let tell = tell
            try ImageProgram.require(words, Bounds(seconds: seconds)) { bytes in
                if let percent = Self.percent(bytes) { tell(percent) }
            } isUnwanted: { [isUnwanted] in isUnwanted() }
        }

        /// Returns the last percentage of an output such as `    (12.34/100%)`.
        static func percent(_ output: [UInt8]) -> Int? {
            let text = String(decoding: output, as: UTF8.self)
            guard let open = text.lastIndex(of: "(") else { return nil }
            return Int(text[text.index(after: open)...].prefix { $0.isNumber })
        }
    }

    /// Runs the program, and blocks the thread until it has ended.
    ///
    /// - Throws: `unavailable` if it fails; `CancellationError` cannot be thrown, so an unwanted run is `unavailable`
    ///   with `unwantedCode`.
    static func require(
        _ words: [String], _ bounds: Bounds, hear: (([UInt8]) -> Void)? = nil, isUnwanted: (() -> Bool)? = nil
    ) throws(CloudError) {
        let limits = ProgramRun.Limits(
            memoryBytes: bounds.memoryBytes, cpuSeconds: UInt(bounds.seconds), outputBytes: 16 << 10)
        var run = ProgramRun(program, words, limits: limits, seconds: bounds.seconds)
        run.hear = hear
        run.isUnwanted = isUnwanted
        let outcome: ProgramRun.Outcome
        do { outcome = try run() } catch {
            if case .unwanted = error {
                throw CloudError(.unavailable, "The copy was given up.", detail: "\(words)", code: unwantedCode)
            }
            throw CloudError(.unavailable, "The host cannot run a program.", detail: "\(program) \(words): \(error)")
        }
        guard outcome.status == 0 else { throw failure(words, outcome) }
    }

    /// The code of the error for a run that was not wanted any more.
    static let unwantedCode = "copy_unwanted"

    private static func failure(_ words: [String], _ outcome: ProgramRun.Outcome) -> CloudError {
        let detail = "\(program) \(words) ended with \(outcome.status): \(outcome.complaint)"
        if outcome.complaint.contains("No space left") || outcome.complaint.contains("quota exceeded") {
            return CloudError(
                .unavailable, "The pool has no room for the volume.", detail: detail, code: VolumePool.fullCode)
        }
        var failed = CloudError(
            .unavailable, "The host could not copy the volume.", detail: detail, code: "copy_failed")
        // QEMU's own locks: a guest began to use the file at this moment.
        failed.isTransient = outcome.complaint.contains("lock")
        return failed
    }
}
