import CloudCore

/// The ways to get data into an image besides an upload.
enum ImportMethod: String, Sendable, Codable, CaseIterable {
    case glanceDirect = "glance-direct"
    case webDownload = "web-download"
    case copyImage = "copy-image"
    case glanceDownload = "glance-download"

    /// The status that the image must have for the method.
    var source: Image.Status {
        switch self {
        case .glanceDirect: .uploading
        case .webDownload, .glanceDownload: .queued
        case .copyImage: .active
        }
    }
}

/// A request for an import: the body of `POST /v2/images/{image_id}/import`.
struct ImportRequest: Sendable {
    /// The stores of the request, named in one of three ways.
    enum Stores: Sendable, Equatable {
        case all
        case some([String])
        case standard
    }

    let method: ImportMethod
    let uri: String?
    let stores: Stores
    /// Whether the import fails unless all stores get the data. Otherwise one store is enough.
    let allMustSucceed: Bool
    /// The body of the request with its defaults filled in, as the task shows it.
    let body: JSONObject

    /// Reads a request.
    ///
    /// - Parameter header: the store in the header `X-Image-Meta-Store`.
    /// - Throws: `badRequest` that names the fault.
    init(_ body: JSONObject, store header: String?) throws {
        guard let method = body["method"] else { throw CloudError.badRequest("Import request requires a 'method' field.") }
        guard let name = method["name"] else { throw CloudError.badRequest("Import request requires a 'name' field.") }
        guard let known = name.string.flatMap(ImportMethod.init) else {
            throw CloudError.badRequest("Unknown import method name '\(name.string?.prefix(64) ?? "")'.")
        }
        self.method = known
        self.body = Self.complete(body, method, known)
        if let uri = method["uri"], uri.string == nil, !uri.isNull { throw CloudError.badRequest("'uri' must be a string.") }
        uri = method["uri"]?.string
        if known == .webDownload, uri == nil { throw CloudError.badRequest("'uri' is required for the web-download import method.") }
        allMustSucceed = try Self.flag("all_stores_must_succeed", in: body) ?? true
        stores = try Self.stores(body, header)
    }

    /// Returns the source of a `glance-download`. It is read once the image is known to be ready for the import.
    ///
    /// - Returns: nil for the other methods.
    /// - Throws: `badRequest` that names the fault.
    func sourceImage() throws -> SourceImage? {
        method == .glanceDownload ? try SourceImage(body["method"] ?? .null) : nil
    }

    private static func complete(_ body: JSONObject, _ method: JSON, _ known: ImportMethod) -> JSONObject {
        guard known == .glanceDownload, method["glance_service_interface"] == nil, var members = method.object else { return body }
        members["glance_service_interface"] = .string(SourceImage.standardInterface)
        var body = body
        body["method"] = .object(members)
        return body
    }

    private static func flag(_ name: String, in body: JSONObject) throws -> Bool? {
        guard let value = body[name] else { return nil }
        guard let flag = value.bool else { throw CloudError.badRequest("'\(name)' must be boolean value only") }
        return flag
    }

    private static func stores(_ body: JSONObject, _ header: String?) throws -> Stores {
        let named = body["stores"]
        if try flag("all_stores", in: body) ?? false {
            guard named == nil, header == nil else {
                throw CloudError.badRequest("All_stores parameter can't be used with x-image-meta-store header or stores parameter")
            }
            return .all
        }
        guard let named else { return header.map { .some([$0]) } ?? .standard }
        guard header == nil else {
            throw CloudError.badRequest("Stores parameter and x-image-meta-store header can't be both specified")
        }
        guard let names = named.array, names.count <= 100, names.allSatisfy({ $0.string != nil }), !names.isEmpty else {
            throw CloudError.badRequest("'stores' must be a list of names of stores.")
        }
        var once: [String] = []
        for name in names.compactMap(\.string) where !once.contains(name) { once.append(name) }
        return .some(once)
    }
}
