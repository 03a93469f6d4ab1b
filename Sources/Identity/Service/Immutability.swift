import CloudCore

/// The option `immutable` of projects, domains and roles.
enum Immutability {
    /// An immutable thing can be changed in one way only: to be immutable no more.
    static func checkUpdate(_ isImmutable: Bool, _ given: JSONObject, _ noun: String, _ id: String) throws {
        guard isImmutable else { return }
        let clears = given["options"]?.object.map { $0["immutable"] == false || $0["immutable"] == .null } ?? false
        guard clears else {
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
