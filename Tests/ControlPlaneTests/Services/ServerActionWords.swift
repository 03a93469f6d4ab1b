@testable import Compute

/// The words of `POST /servers/{server_id}/action`, each of which has a body of its own.
enum ServerActionWords {
    static var all: [String] { Set(ServerAction.all.map(\.word)).sorted() }
}
