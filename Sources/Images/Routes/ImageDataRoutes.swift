import Blobs
import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/v2/images/{image_id}/file`: upload and download of data.
struct ImageDataRoutes: Sendable {
    let data: ImageDataService

    var all: [Route] {
        [
            .put("/v2/images/{image_id}/file") { call in
                let caller = try await call.caller()
                try await data.upload(
                    call.id("image_id"), try Self.bytes(of: call), size: try Self.size(of: call), store: call.headers[.imageStore], by: caller)
                return .noContent
            }.carryingData,
            .get("/v2/images/{image_id}/file", download).carryingData,
        ]
    }

    /// Returns the body of a request that brings data.
    ///
    /// - Throws: `unsupportedMediaType` unless its type is `application/octet-stream`.
    static func bytes(of call: Call) throws -> Body.Chunks {
        guard call.body.type == "application/octet-stream" else {
            throw CloudError(.unsupportedMediaType, "Invalid content type \(call.body.type?.prefix(80) ?? ""): use application/octet-stream.")
        }
        return call.body.chunks
    }

    /// Returns the size in bytes that the client announced in one of the two headers; nil if it announced none.
    static func size(of call: Call) throws -> Int64? {
        guard let text = call.headers[.imageSize] else { return call.body.length.map(Int64.init) }
        guard let size = Int64(text), size >= 0 else { throw CloudError.badRequest("Invalid or missing image size in request headers.") }
        return size
    }

    @Sendable private func download(_ call: Call) async throws -> Reply {
        let caller = try await call.caller()
        let preferred = (call.query["prefer"] ?? "").split(separator: ",").map { $0.filter { $0 != " " } }.filter { !$0.isEmpty }
        let download = try await data.find(call.id("image_id"), preferred: preferred, by: caller)
        guard let size = download.image.size, download.blob != nil else { return .noContent }
        let range = try ByteRange.requested(by: call.headers, of: size)
        guard let bytes = try await data.read(download, range: range, by: caller) else { return .noContent }
        var headers: HTTPFields = [.contentType: "application/octet-stream"]
        if let checksum = download.image.checksum { headers[.contentMD5] = checksum }
        if let range { headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)" }
        return Reply(
            range == nil ? .ok : .partialContent, headers: headers,
            content: .stream(length: bytes.range.count) { writer in
                for try await part in bytes { try await writer.write(part) }
            })
    }
}

/// The range of data that a client wants.
enum ByteRange {
    /// Reads the header `Range`, or else `Content-Range`, which the reference accepts with the same meaning.
    ///
    /// - Returns: nil if the client wants all data.
    /// - Throws: `rangeNotSatisfiable` for a text that is no range, or a range that begins behind the end; `badRequest`
    ///   for several ranges.
    static func requested(by headers: HTTPFields, of size: Int64) throws -> Range<Int64>? {
        if let text = headers[.range] {
            guard !text.contains(",") else {
                throw CloudError.badRequest("Requests with multiple ranges are not supported. Make several requests with one range each.")
            }
            var reader = HeaderReader(text)
            guard reader.take("bytes"), reader.skipBlanks(), reader.take("="), reader.skipBlanks() else { throw unsatisfiable("Invalid Range header.") }
            let first = reader.digits()
            guard reader.skipBlanks(), reader.take("-"), reader.skipBlanks() else { throw unsatisfiable("Invalid Range header.") }
            let last = reader.digits()
            guard reader.skipBlanks(), reader.isAtEnd else { throw unsatisfiable("Invalid Range header.") }
            return try range(number(first), number(last), size)
        }
        if let text = headers[.contentRange] {
            guard let (first, last) = content(text), first <= last, last < size else { throw unsatisfiable("Invalid Content-Range header.") }
            return first..<last + 1
        }
        return nil
    }

    /// Reads `bytes 0-99/200` and `bytes 0-99/*`.
    private static func content(_ text: String) -> (first: Int64, last: Int64)? {
        var reader = HeaderReader(text)
        guard reader.take("bytes ") else { return nil }
        let first = reader.digits()
        guard reader.take("-") else { return nil }
        let last = reader.digits()
        guard reader.take("/"), reader.take("*") || !reader.digits().isEmpty, reader.isAtEnd, let first = Int64(first), let last = Int64(last)
        else { return nil }
        return (first, last)
    }

    /// Returns a number; nil if there are no digits. A number that is too large becomes the largest one, which is
    /// behind every end.
    private static func number(_ digits: Substring) -> Int64? { digits.isEmpty ? nil : Int64(digits) ?? .max }

    private static func range(_ first: Int64?, _ last: Int64?, _ size: Int64) throws -> Range<Int64> {
        switch (first, last) {
        case (let first?, let last):
            guard first < size else {
                throw unsatisfiable("Invalid start position in Range header. Start position MUST be in the inclusive range [0, \(size - 1)].")
            }
            if let last, last < first { throw unsatisfiable("Invalid Range header.") }
            return first..<min(last ?? size - 1, size - 1) + 1
        case (nil, let count?):
            guard count > 0, size > 0 else { throw unsatisfiable("Invalid Range header.") }
            return max(0, size - count)..<size
        case (nil, nil): throw unsatisfiable("Invalid Range header.")
        }
    }

    private static func unsatisfiable(_ message: String) -> CloudError { CloudError(.rangeNotSatisfiable, message) }
}

/// A reader of a header's value. It goes from left to right and reads each character once.
private struct HeaderReader {
    private var rest: Substring.UTF8View

    init(_ text: String) { rest = Substring(text).utf8 }

    var isAtEnd: Bool { rest.isEmpty }

    /// Passes over a word. Returns whether it came next.
    mutating func take(_ word: StaticString) -> Bool {
        let text = "\(word)"
        guard rest.starts(with: text.utf8) else { return false }
        rest = rest.dropFirst(text.utf8.count)
        return true
    }

    /// Passes over blanks. It always returns true, because there may be none.
    mutating func skipBlanks() -> Bool {
        rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        return true
    }

    /// Passes over digits and returns them.
    mutating func digits() -> Substring {
        let found = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        rest = rest.dropFirst(found.count)
        return Substring(found)
    }
}
