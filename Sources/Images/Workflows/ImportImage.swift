import CloudCore
import Durable

// 1 begin     nobody else fills the image; it shows which stores it is imported to
// 2 fetch     (web-download, glance-download) the bytes are staged, and were looked at
// 3 reserve   rows that keep the bytes in every store that is asked for
// 4 fill      the bytes are in those stores
// 5 finish    the image is active, has what was taken over of its source, and what was staged is let go
//
// The image is `importing` all along; a copy leaves it `active`. Undone, it is `queued` without data and shows which stores failed.

/// Brings data into an image, or the data that it has into more stores.
struct ImportImage: Workflow {
    struct Input: Codable, Sendable {
        let imageID: ID<Kind.Image>
        let method: ImportMethod
        let uri: String?
        /// For `glance-download`: which image of which region, and the token of who asked. Whichever process carries the workflow
        /// out must be able to ask in that user's name, also after the one that took the request was killed, so the token is kept;
        /// but sealed, for the row outlives it and is shown to operators. It opens for this image's import alone.
        let sourceImage: SourceImage?
        let sealedToken: String?
        let stores: [String]
        let allMustSucceed: Bool
        /// JSON of what the caller sent, for the task.
        let request: String
        /// Whether it was asked for by the older tasks API.
        let isTask: Bool
    }

    struct State: Codable, Sendable {
        var source: StagedData?
        /// What the image takes over of a source image, in the step that makes it active: an import that fails has changed nothing.
        var facts: SourceFacts?
        var data: StagedData?
        var filled: [String] = []
        var failed: [String] = []

        /// Returns where the data lies that the image is to have.
        func requireSource(_ method: ImportMethod) throws -> StagedData {
            try source.required("source", from: method.source == .queued ? "fetch" : "begin")
        }

        /// Returns what the image takes over of its source. Nil for the methods that have no source image.
        func requireFacts(_ method: ImportMethod) throws -> SourceFacts? {
            method == .glanceDownload ? try facts.required("facts", from: "fetch") : nil
        }
    }

    typealias Needs = ImportWork
    static let kind: WorkflowKind = "images.import"
    /// An import waits for hours on a slow source; servers must not wait with it.
    static let mostAtOnce: Int? = 8
    static let version = 1

    /// Longer than the fetcher gives a download.
    private static let fetchDeadline = Duration.seconds(4 * 3600 + 600)
    private static let fillDeadline = Duration.seconds(12 * 3600)

    static func start(_ input: Input) -> State { State() }

    /// What the token of an image's import is sealed for.
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
