/// A report of the progress of a backup or a restore to its user.
package struct BackupProgress: Sendable {
    private let say: @Sendable (String) -> Void

    /// - Parameter say: shows a line. It may be called often.
    package init(_ say: @escaping @Sendable (String) -> Void) { self.say = say }

    package static let silent = BackupProgress { _ in }

    func step(_ text: String) { say(text) }

    /// Reports how much image data is copied.
    func images(_ done: Int, of all: Int, bytes: Int64) { say("images: \(done) of \(all), \(Self.size(bytes))") }

    /// Returns a number of bytes in the units that people use.
    package static func size(_ bytes: Int64) -> String {
        var (number, unit) = (Double(bytes), 0)
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        while number >= 1024, unit < units.count - 1 { (number, unit) = (number / 1024, unit + 1) }
        let tenths = Int64((number * 10).rounded())
        return unit == 0 ? "\(bytes) B" : "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }
}
