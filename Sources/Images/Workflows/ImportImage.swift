import CloudCore
import Durable

// 1 begin     nobody else fills the image; it shows the stores that it is imported to
// 2 fetch     (web-download, glance-download) the bytes are staged and inspected
// 3 reserve   rows keep the bytes in every store of the request
// 4 fill      the bytes are in those stores
// 5 finish    the image is active and has the description of its source; the staged data is released
//
// The image is `importing` all along; a copy leaves it `active`. After an undo it is `queued` without data, and shows
// the stores that failed.

/// A workflow that brings data into an image, or copies its data into more stores.
struct ImportImage: Workflow {
    struct Input: Codable, Sendable {
        let imageID: ID<Kind.Image>
        let method: ImportMethod
        let uri: String?
        /// For `glance-download`: the image of another region, and the caller's token. Any process that carries the
        /// workflow out must be able to ask in the caller's name, also after the process that took the request was
        /// killed, so the token is kept. It is sealed, because the row outlives it and operators may see the row. It
        /// can be opened only for this image's import.
        let sourceImage: SourceImage?
        let sealedToken: String?
        let stores: [String]
        let allMustSucceed: Bool
        /// The caller's request as JSON, for the task.
        let request: String
        /// Whether the import was requested by the older tasks API.
        let isTask: Bool
    }

    struct State: WorkflowState {
        var source: StagedData?
        /// The description of the source image. The image takes it over in the step that makes it active, so an import
        /// that fails changes nothing.
        var facts: SourceFacts?
        var data: StagedData?
        var filled: [String] = []
        var failed: [String] = []

        /// Returns the data that the image is to have.
        func requireSource(_ method: ImportMethod) throws -> StagedData {
            try source.required("source", from: method.source == .queued ? "fetch" : "begin")
        }

        /// Returns the description of the source image; nil for methods without a source image.
        func requireFacts(_ method: ImportMethod) throws -> SourceFacts? {
            method == .glanceDownload ? try facts.required("facts", from: "fetch") : nil
        }
    }

    typealias Needs = ImportWork
    static let kind: WorkflowKind = "images.import"
    /// The most imports at a time. An import may wait for hours on a slow source, and servers must not wait with it.
    static let mostAtOnce: Int? = 8  // tidy: allow bound, places of a runner

    /// The deadline of the download; it is longer than the one of the fetcher.
    private static let fetchDeadline = Duration.seconds(4 * 3600 + 600)
    private static let fillDeadline = Duration.seconds(12 * 3600)

    /// Returns the purpose for which the token of an image's import is sealed.
    static func tokenPurpose(_ id: ID<Kind.Image>) -> String { "\(kind)/\(id)" }

    static var steps: Steps<Self> {
        Local("begin") { state, run, tx in
            state.source = try run.needs.begin(run.input, run.lease, tx)
        } undo: { _, run, tx in
            try run.needs.giveUp(run.input, run.lease, tx)
        }
        Remote("fetch", retry: Retry(attempts: 3, first: .seconds(5)), deadline: fetchDeadline) { state, run in
            switch run.input.method {
            case .webDownload:
                let uri = try run.input.uri.required("uri", from: "start")
                state.source = try await run.needs.fetch(uri, run.lease, run.progress) { try run.checkCancelled() }
            case .glanceDownload:
                let reader = try await run.needs.reader(run.input, as: run.principal)
                let facts = try await reader.facts()
                state.source = try await run.needs.fetch(reader, facts, run.lease, run.progress) { try run.checkCancelled() }
                state.facts = facts
            case .glanceDirect, .copyImage:
                // The data is here already.
                return
            }
        }
        Local("reserve") { state, run, tx in try run.needs.reserve(run.input, state, tx) }
        Remote("fill", deadline: fillDeadline) { state, run in
            let filled = try await run.needs.fill(run.input, state, run.lease) { try run.checkCancelled() }
            (state.data, state.filled, state.failed) = (filled.data, filled.stores, filled.failed)
        }
        Local("finish") { state, run, tx in try run.needs.finish(run.input, state, run.lease, tx) }
    }
}

extension Run where W == ImportImage {
    fileprivate var lease: UploadLease { UploadLease(imageID: input.imageID, kind: .importing, owner: workflowID.text) }

    fileprivate func progress(_ done: Int64, _ total: Int64) { progress(done: done, of: total) }
}

extension ResourceKey {
    static func image(_ id: ID<Kind.Image>) -> ResourceKey { ResourceKey("image/\(id)") }
}
