import CloudCore

/// The option `immutable` of projects, domains and roles.
enum Immutability {
    /// An immutable thing can be changed in one way only: to be immutable no more.
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
    /// An option that is null is unset.
    var withoutNulls: JSONObject { JSONObject(members.filter { !$0.value.isNull }.map { ($0.key, $0.value) }) }

    /// These options over those: a null unsets one.
    func merged(into old: JSONObject) -> JSONObject {
        var merged = old
        for (key, value) in members { merged[key] = value.isNull ? nil : value }
        return merged
    }
}

extension String {
    /// Without white space at its ends.
    var trimmed: String {
        guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(self[first...last])
    }
}
