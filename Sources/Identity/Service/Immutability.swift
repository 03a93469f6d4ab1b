import CloudCore

/// The option `immutable` of projects, domains and roles.
enum Immutability {
    /// Throws if an immutable resource is to be changed in any way but to clear the option.
    ///
    /// - Parameter options: the options of the body; nil if it has none.
    static func checkUpdate(_ isImmutable: Bool, _ options: JSONObject?, _ noun: String, _ id: String) throws {
        guard isImmutable else { return }
        guard let immutable = options?["immutable"], immutable == false || immutable == .null else {
            throw CloudError.forbidden("Unable to update immutable \(noun) resource: `\(id)`. Set resource option \"immutable\" to false first.")
        }
    }

    static func checkDelete(_ isImmutable: Bool, _ noun: String, _ id: String) throws {
        guard !isImmutable else {
            throw CloudError.forbidden("Unable to delete immutable \(noun) resource: `\(id)`. Set resource option \"immutable\" to false first.")
        }
    }
}

extension JSONObject {
    /// The options without those that are null, which are unset.
    var withoutNulls: JSONObject { JSONObject(members.filter { !$0.value.isNull }.map { ($0.key, $0.value) }) }

    /// Returns the old options with these set. A null unsets an option.
    func merged(into old: JSONObject) -> JSONObject {
        var merged = old
        for (key, value) in members { merged[key] = value.isNull ? nil : value }
        return merged
    }
}
