/// A writer of XML. Names are constants of the program; every value is escaped, so that a user's text never becomes
/// markup.
struct XMLWriter {
    private(set) var text = ""

    typealias Attributes = KeyValuePairs<StaticString, String>

    /// Writes an element that contains elements.
    mutating func element(_ name: StaticString, _ attributes: Attributes = [:], _ content: (inout XMLWriter) -> Void) {
        open(name, attributes)
        text += ">"
        content(&self)
        text += "</\(name)>"
    }

    mutating func element(_ name: StaticString, _ attributes: Attributes = [:]) {
        open(name, attributes)
        text += "/>"
    }

    /// Writes an element that contains text.
    mutating func element(_ name: StaticString, _ attributes: Attributes = [:], text content: String) {
        element(name, attributes) { $0.text += Self.escaped(content) }
    }

    private mutating func open(_ name: StaticString, _ attributes: Attributes) {
        text += "<\(name)"
        for (key, value) in attributes { text += " \(key)='\(Self.escaped(value))'" }
    }

    /// Returns a value with its markup as entities. Characters that XML 1.0 does not allow (section 2.2) become U+FFFD,
    /// and so do line ends, which libvirt refuses in titles and which attributes would lose.
    static func escaped(_ value: String) -> String {
        var out = ""
        out.reserveCapacity(value.utf8.count)
        for scalar in value.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "'": out += "&apos;"
            case "\"": out += "&quot;"
            case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}", "\u{fffe}", "\u{ffff}", "\u{2028}", "\u{2029}": out += "\u{fffd}"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
