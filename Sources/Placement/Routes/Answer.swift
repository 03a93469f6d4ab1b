import CloudCore
import HTTPKit
import HTTPTypes

/// The answer of a handler: a status, a body if there is one, and the time of the last change.
struct Answer: Sendable {
    var status: HTTPResponse.Status
    var headers: HTTPFields = [:]
    var bytes: [UInt8]?
    /// The time of the last change; nil for answers that do not tell it.
    var modified: Timestamp?

    static func json(
        _ status: HTTPResponse.Status = .ok, modified: Timestamp?, headers: HTTPFields = [:],
        _ members: (inout JSONWriter) throws -> Void
    ) rethrows -> Answer {
        var writer = JSONWriter()
        try writer.object(members)
        return Answer(status: status, headers: headers, bytes: writer.bytes, modified: modified)
    }

    static func empty(
        _ status: HTTPResponse.Status = .noContent, headers: HTTPFields = [:], modified: Timestamp? = nil
    ) -> Answer {
        Answer(status: status, headers: headers, bytes: nil, modified: modified)
    }
}

extension Timestamp {
    /// `Tue, 15 Nov 1994 08:12:31 GMT` (RFC 9110 section 5.6.7).
    var httpDate: String {
        // 2026-01-31T23:59:59…
        let text = Array(iso8601Microseconds.utf8)
        func number(_ from: Int, _ count: Int) -> Int { text[from..<from + count].reduce(0) { $0 * 10 + Int($1) - 48 } }
        let days = Int(microseconds.quotientAndRemainder(dividingBy: 86_400_000_000).quotient)
        let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][((days % 7) + 7) % 7]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let clock = String(decoding: text[11..<19], as: UTF8.self)
        let day = String(decoding: text[8..<10], as: UTF8.self)
        return "\(weekday), \(day) \(months[number(5, 2) - 1]) \(number(0, 4)) \(clock) GMT"
    }
}
