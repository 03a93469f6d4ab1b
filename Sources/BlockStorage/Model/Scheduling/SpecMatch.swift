import CloudCore

/// The comparison of a capability with an extra spec: a text, or an operator with a text behind it.
enum SpecMatch {
    static func matches(_ present: String, _ wanted: String) -> Bool {
        let words = wanted.split(separator: " ", maxSplits: 1).map(String.init)
        guard words.count == 2, let sign = words.first else { return present == wanted }
        let rest = words[1].trimmed
        switch sign {
        case "<is>": return Truth(present) == Truth(rest)
        case "<in>": return present.contains(rest)
        case "<or>": return wanted.split(separator: "<or>").contains { String($0).trimmed == present }
        case "s==": return present == rest
        case "s!=": return present != rest
        case "s<": return present < rest
        case "s<=": return present <= rest
        case "s>": return present > rest
        case "s>=": return present >= rest
        case "=", ">=": return number(present, rest) { $0 >= $1 }
        case "<=": return number(present, rest) { $0 <= $1 }
        case "==": return number(present, rest) { $0 == $1 }
        case "!=": return number(present, rest) { $0 != $1 }
        case "<": return number(present, rest) { $0 < $1 }
        case ">": return number(present, rest) { $0 > $1 }
        default: return present == wanted
        }
    }

    private static func number(_ left: String, _ right: String, _ holds: (Double, Double) -> Bool) -> Bool {
        guard let left = Double(left), let right = Double(right) else { return false }
        return holds(left, right)
    }

    /// A truth value as the reference reads it: any text that is no word for yes means no.
    private struct Truth: Equatable {
        let value: Bool

        init(_ text: String) { value = ["t", "true", "on", "y", "yes", "1"].contains(text.lowercased()) }
    }
}
