import CloudCore

/// A dictionary of texts as one JSON object in a column.
enum TextMap {
    static func json(_ map: [String: String]) -> JSONObject {
        JSONObject(map.sorted { $0.key < $1.key }.map { ($0.key, JSON.string($0.value)) })
    }

    static func read(_ object: JSONObject) -> [String: String] {
        Dictionary(object.members.map { ($0.key, $0.value.string ?? "") }) { first, _ in first }
    }
}
