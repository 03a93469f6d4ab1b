import Blobs
import CloudCore
import Foundation
import Images

/// An entry of `images.stores`.
struct ImageStoreSetting: Sendable, Equatable {
    let name: String
    /// The absolute path; nil for the folder `images/NAME` in the state directory.
    let path: String?

    init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first, (1...64).contains(name.utf8.count), name.utf8.allSatisfy({
            ($0 >= 48 && $0 <= 57) || ($0 >= 65 && $0 <= 90) || ($0 >= 97 && $0 <= 122) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
        }) else { return nil }
        self.name = String(name)
        path = parts.count > 1 ? String(parts[1]) : nil
        guard path?.hasPrefix("/") != false else { return nil }
    }

    static let problem: @Sendable (String) -> String? = { text in
        ImageStoreSetting(text) == nil
            ? "has '\(text)' and must have names of letters, digits, '-' and '_', each alone or with an absolute path: name:/path" : nil
    }
}

extension ImageStores {
    /// Opens the stores that the configuration names, the first as the default.
    ///
    /// - Throws: `StartError`.
    static func opened(_ configuration: Configuration.Images, below folder: String, world: World) async throws -> ImageStores {
        let wanted = configuration.stores.compactMap(ImageStoreSetting.init)
        guard !wanted.isEmpty, Set(wanted.map(\.name)).count == wanted.count else {
            throw StartError("images.stores must name at least one store, and none twice.")
        }
        var entries: [Entry] = []
        for setting in wanted {
            let path = setting.path ?? "\(folder)/\(setting.name)"
            entries.append(Entry(setting.name, try await open(path, "image store \(setting.name)", world)))
        }
        var stores = ImageStores(entries[0], Array(entries.dropFirst()))
        if configuration.cacheSize > 0 {
            guard !wanted.contains(where: { $0.path == nil && $0.name == cacheName }) else {
                throw StartError("images.stores has a store called '\(cacheName)', where the cache would be: give it a path.")
            }
            stores.cache = Cache(
                try await open("\(folder)/\(cacheName)", "cache of images", world), most: Int64(configuration.cacheSize) << 30)
        }
        return stores
    }

    private static let cacheName = "cache"

    private static func open(_ path: String, _ what: String, _ world: World) async throws -> FileBlobStore {
        do {
            try Files.makeFolder((path as NSString).deletingLastPathComponent)
            return try await FileBlobStore(folder: path, world: world)
        } catch {
            throw StartError("The \(what) cannot be opened at \(path): \(error)")
        }
    }
}
