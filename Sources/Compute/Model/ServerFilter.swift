import CloudCore
import SQL

/// Conditions on servers that the database checks; all must hold.
struct ServerFilter: Sendable {
    var projectID: String?
    var userID: String?
    var states: Set<VMState>?
    var host: String?
    var imageID: String?
    var flavorID: String?
    var ids: [String]?
    /// A name, or the beginning of names.
    var name: TextRange?
    /// A text within the name.
    var namePart: String?
    /// Other expressions that the name must fulfil. They are tested on names, which an index has in the list's usual
    /// order.
    var namePatterns: [NamePattern] = []
    var tags = ServerTagFilter()
    var changedSince: Timestamp?
    var changedBefore: Timestamp?
}

/// Conditions on the tags of servers; nil for none.
struct ServerTagFilter: Sendable {
    var all: Set<String>?
    var any: Set<String>?
    var notAll: Set<String>?
    var notAny: Set<String>?

    var isEmpty: Bool { all == nil && any == nil && notAll == nil && notAny == nil }

    func lets(_ tags: [String]) -> Bool {
        let tags = Set(tags)
        return all.map(tags.isSuperset) != false && any.map(tags.isDisjoint) != true
            && notAll.map(tags.isSuperset) != true
            && notAny.map(tags.isDisjoint) != false
    }
}
