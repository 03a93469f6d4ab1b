import CloudCore
package import HTTPTypes

/// A version of one service's API, such as `2.79`. Each version is a small, documented change; a client asks for the
/// version that it knows.
package struct Microversion: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let major: Int
    package let minor: Int

    package init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && $0.count < 6 && $0.allSatisfy { "0123456789".contains($0) } }),
            let major = Int(parts[0]), let minor = Int(parts[1]), String(minor) == parts[1], String(major) == parts[0]
        else { return nil }
        self.init(major, minor)
    }

    package var description: String { "\(major).\(minor)" }

    package static func < (left: Self, right: Self) -> Bool { (left.major, left.minor) < (right.major, right.minor) }
}

/// The microversions of one service, and the headers in which its clients ask for them.
package struct MicroversionRange: Sendable {
    /// The word before the version in `OpenStack-API-Version`, such as `compute`.
    package let serviceType: String
    package let minimum: Microversion
    package let maximum: Microversion
    /// The older header that clients may use instead of `OpenStack-API-Version`, such as
    /// `X-OpenStack-Nova-API-Version`.
    package let olderHeader: HTTPField.Name?
    private let complaints: Complaints

    /// The messages for a version that cannot be served, for APIs with their own words.
    package struct Complaints: Sendable {
        let malformed: @Sendable (String) -> String
        let outside: @Sendable (Microversion, MicroversionRange) -> String

        package init(
            malformed: @escaping @Sendable (String) -> String, outside: @escaping @Sendable (Microversion, MicroversionRange) -> String
        ) {
            self.malformed = malformed
            self.outside = outside
        }

        package static let usual = Complaints(
            malformed: { "The API version \($0) is not of the form MAJOR.MINOR, nor 'latest'." },
            outside: { "Version \($0) is not supported by the API. Minimum is \($1.minimum) and maximum is \($1.maximum)." })
    }

    package init(
        serviceType: String, _ range: ClosedRange<Microversion>, olderHeader: HTTPField.Name? = nil, complaints: Complaints = .usual
    ) {
        self.serviceType = serviceType
        self.complaints = complaints
        minimum = range.lowerBound
        maximum = range.upperBound
        self.olderHeader = olderHeader
    }

    /// Returns the version that a request asks for: the minimum if it names none, the maximum for `latest`.
    ///
    /// - Throws: `badRequest` for a malformed version, `notAcceptable` for a version outside the range (API-SIG's
    ///   guideline on microversions).
    package func requested(by headers: HTTPFields) throws -> Microversion {
        guard let text = text(in: headers) else { return minimum }
        if text == "latest" { return maximum }
        guard let version = Microversion(text) else {
            throw CloudError.badRequest(complaints.malformed(String(text.prefix(40))))
        }
        guard version >= minimum, version <= maximum else {
            throw CloudError(.notAcceptable, complaints.outside(version, self))
        }
        return version
    }

    private func text(in headers: HTTPFields) -> String? {
        for value in headers[values: .apiVersion] {
            for one in value.split(separator: ",") {
                let words = one.split(separator: " ")
                if words.count == 2, words[0].lowercased() == serviceType { return String(words[1]) }
            }
        }
        return olderHeader.flatMap { headers[$0] }
    }

    /// Adds the headers that tell the client which version it got, and tell caches on which headers the answer depends.
    ///
    /// - Parameter version: nil if the request was refused before its version was known.
    func mark(_ headers: inout HTTPFields, _ version: Microversion?) {
        headers[.apiVersion] = version.map { "\(serviceType) \($0)" }
        headers.append(HTTPField(name: .vary, value: HTTPField.Name.apiVersion.canonicalName))
        if let olderHeader {
            headers[olderHeader] = version?.description
            headers.append(HTTPField(name: .vary, value: olderHeader.rawName))
        }
    }
}
