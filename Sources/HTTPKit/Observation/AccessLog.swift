import CloudCore
package import Telemetry

/// A line for each request.
package struct AccessLog: Sendable {
    package struct Line: Sendable {
        var at: Timestamp
        var remote: String
        var method: String
        /// Without the query, which may carry what nobody should log.
        var path: String
        var status: Int
        var bytes: Int
        var took: Duration
        var requestID: String
    }

    package let file: LineFile

    package init(path: String) { file = LineFile(path: path) }

    func add(_ line: Line) {
        let path = Self.oneWord(line.path.utf8.prefix(512))
        let text =
            "\(line.at.iso8601Microseconds) \(line.remote) \(line.method) \(path) \(line.status) \(line.bytes) "
            + "\(line.took.wholeMicroseconds)us \(line.requestID)\n"
        file.add(text.utf8)
    }

    /// A log line is one line of so many words, whatever a client put into its path: what is not visible ASCII is encoded.
    private static func oneWord(_ bytes: some Sequence<UInt8>) -> String {
        bytes.reduce(into: "") { out, byte in
            if byte > 0x20 && byte < 0x7f {
                out.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                out += "%" + Hex.text([byte]).uppercased()
            }
        }
    }
}
