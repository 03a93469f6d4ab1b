package import CloudCore
package import HTTPTypes
package import NIOCore

/// The answer of a route.
package struct Reply: Sendable {
    package enum Content: Sendable {
        case none
        case bytes([UInt8])
        /// A stream that is written piece by piece; its length in bytes, if it is known.
        case stream(length: Int?, write: @Sendable (any ReplyWriter) async throws -> Void)
    }

    package var status: HTTPResponse.Status
    package var headers: HTTPFields
    package var content: Content

    package init(_ status: HTTPResponse.Status, headers: HTTPFields = [:], content: Content = .none) {
        self.status = status
        self.headers = headers
        self.content = content
    }

    /// Returns a reply with a JSON object whose members are written by `members`.
    package static func json(
        _ status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], _ members: (inout JSONWriter) throws -> Void
    ) rethrows -> Reply {
        var writer = JSONWriter()
        try writer.object(members)
        return json(status, headers: headers, bytes: writer.bytes)
    }

    package static func json(_ status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], bytes: [UInt8]) -> Reply {
        var headers = headers
        headers[.contentType] = "application/json"
        return Reply(status, headers: headers, content: .bytes(bytes))
    }

    package static func text(_ status: HTTPResponse.Status = .ok, _ text: String, type: String = "text/plain; charset=utf-8") -> Reply {
        Reply(status, headers: [.contentType: type], content: .bytes(Array(text.utf8)))
    }

    package static let ok = Reply(.ok)
    package static let accepted = Reply(.accepted)
    package static let noContent = Reply(.noContent)
}

extension Reply {
    /// Returns the reply that `write` makes. If it has a long list, it is made on another thread than the event loop's.
    ///
    /// - Parameter count: the number of the list's elements.
    package static func page(of count: Int, _ write: @escaping @Sendable () throws -> Reply) async throws -> Reply {
        try await Elsewhere.run(ifLong: count >= Elsewhere.longFrom, write)
    }

    /// Returns the reply with one list.
    ///
    /// - Parameter write: writes the members of an element.
    package static func page<Element: Sendable>(
        _ name: StaticString, of elements: [Element],
        _ write: @escaping @Sendable (Element, inout JSONWriter) -> Void
    ) async throws -> Reply {
        try await page(of: elements.count) {
            .json { json in
                json.array(name, of: elements) { json, element in json.object { write(element, &$0) } }
            }
        }
    }
}

/// The destination of a streamed answer. A write waits until the client has taken the earlier pieces.
package protocol ReplyWriter: Sendable {
    func write(_ bytes: ByteBuffer) async throws
}
