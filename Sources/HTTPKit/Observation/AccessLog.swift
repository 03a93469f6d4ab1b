import CloudCore
package import Telemetry

/// A log with one line for each request.
package struct AccessLog: Sendable {
    package struct Line: Sendable {
        var at: Timestamp
        var remote: String
        var method: String
        /// The path without the query, which may contain secrets.
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

    /// Returns the bytes as one word. All bytes but visible ASCII are percent-encoded, so that a client's path cannot
    /// break the format of a line.
    private static func oneWord(_ bytes: some Sequence<UInt8>) -> String {
        var out: [UInt8] = []
        for byte in bytes {
            if byte > 0x20 && byte < 0x7f {
                out.append(byte)
            } else {
                out += "%\(Hex.text([byte]).uppercased())".utf8
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
