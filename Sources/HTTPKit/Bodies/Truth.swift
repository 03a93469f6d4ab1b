/// The words of a truth value (oslo.utils' strutils).
package struct Truth {
    package let value: Bool

    private static let yes = ["True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes"]
    private static let no = ["False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no"]
    static let words = yes + no
    /// The words as messages list them.
    static let listed = "[True, \(quoted(yes)), False, \(quoted(no))]"

    private static func quoted(_ words: [String]) -> String { words.map { "'\($0)'" }.joined(separator: ", ") }

    /// Reads a word of a body; nil for any other.
    package init?(_ text: String) {
        if Self.yes.contains(text) { value = true } else if Self.no.contains(text) { value = false } else { return nil }
    }

    /// Reads a word of a query, which may also be `t` or `y`, in either case; nil for any other.
    package static func strict(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "t", "true", "on", "y", "yes", "1": true
        case "f", "false", "off", "n", "no", "0": false
        default: nil
        }
    }
}
