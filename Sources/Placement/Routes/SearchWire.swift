import CloudCore
import HTTPKit

/// Parsers of the query parameters that say what a search looks for.
enum SearchWire {
    /// Parses amounts such as `VCPU:2,MEMORY_MB:1024`.
    static func resources(_ text: String) throws -> [(resourceClass: String, amount: Int64)] {
        func malformed(_ got: String) -> CloudError {
            .badRequest(
                """
                Badly formed resources parameter. Expected resources query string parameter in form: ?resources=VCPU:2,MEMORY_MB:1024. \
                Got: \(got.prefix(255)).
                """)
        }
        if text.allSatisfy(\.isWhitespace) { throw malformed("empty string") }
        var found: [(resourceClass: String, amount: Int64)] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let pair = part.split(separator: ":", omittingEmptySubsequences: false)
            guard pair.count == 2 else { throw malformed(String(part)) }
            let digits = pair[1].filter { $0 != " " }
            let isNumber = !digits.isEmpty && digits.drop { $0 == "-" || $0 == "+" }.allSatisfy { $0.isASCII && $0.isNumber }
            // No provider has more than this, so a larger number has the same effect.
            let amount = Int64(digits) ?? (digits.hasPrefix("-") ? -1 : 1 << 60)
            guard isNumber else {
                throw CloudError.badRequest(
                    "Requested resource \(pair[0]) expected positive integer amount. Got: \(pair[1].prefix(64)).")
            }
            guard amount >= 1 else {
                throw CloudError.badRequest("Requested resource \(pair[0]) requires amount >= 1. Got: \(amount).")
            }
            let name = String(pair[0])
            found.removeAll { $0.resourceClass == name }
            found.append((resourceClass: name, amount: min(amount, 1 << 60)))
        }
        return found
    }

    /// Parses traits such as `HW_CPU_X86_AVX,!CUSTOM_OLD`. From 1.39 on it also accepts `in:CUSTOM_A,CUSTOM_B` and
    /// several parameters of the name; before, only the last one counts.
    static func traits(_ values: [String], _ minor: Int) throws -> TraitFilter {
        var filter = TraitFilter()
        for value in minor >= 39 ? values[...] : values.suffix(1) {
            let one = try traits(value, allowsForbidden: minor >= 22, allowsAny: minor >= 39)
            filter.required += one.required
            filter.forbidden.formUnion(one.forbidden)
        }
        return filter
    }

    static func traits(_ value: String, allowsForbidden: Bool, allowsAny: Bool) throws -> TraitFilter {
        func refuse(_ what: String) -> CloudError { .badRequest("Invalid query string parameters: \(what)") }
        let got = value.prefix(255)
        if value.hasPrefix("in:") {
            guard allowsAny else {
                throw refuse("The format 'in:HW_CPU_X86_VMX,CUSTOM_MAGIC' only supported since microversion 1.39. Got: \(got)")
            }
            let names = words(value.dropFirst(3))
            if names.contains("") {
                throw refuse(
                    "Expected 'required' parameter value of the form: in:HW_CPU_X86_VMX,CUSTOM_MAGIC. Got an empty trait in: \(got)")
            }
            if names.contains(where: { $0.hasPrefix("!") }) {
                throw refuse("The format 'in:HW_CPU_X86_VMX,CUSTOM_MAGIC' does not support forbidden traits. Got: \(got)")
            }
            return TraitFilter(required: [Set(names)])
        }
        var filter = TraitFilter()
        let form = allowsForbidden ? "HW_CPU_X86_VMX,!CUSTOM_MAGIC" : "HW_CPU_X86_VMX,CUSTOM_MAGIC"
        for word in words(value) {
            let name = String(word.drop { $0 == "!" })
            if name.isEmpty {
                throw refuse("Expected 'required' parameter value of the form: \(form). Got an empty trait in: \(got)")
            }
            if word.hasPrefix("!") { filter.forbidden.insert(name) } else { filter.required.append([name]) }
        }
        if !filter.forbidden.isEmpty, !allowsForbidden {
            throw refuse("Expected 'required' parameter value of the form: \(form). Got: \(got)")
        }
        return filter
    }

    /// Parses the values of `member_of`.
    ///
    /// - Parameter suffix: the suffix of `member_of` in the name of the parameter.
    static func aggregates(_ values: [String], suffix: String = "", _ minor: Int) throws -> AggregateFilter {
        if minor < 24, values.count > 1 { throw CloudError.badRequest("Multiple member_of\(suffix) parameters are not supported") }
        var filter = AggregateFilter()
        for value in values {
            let isForbidden = value.hasPrefix("!")
            let rest = value.dropFirst(isForbidden ? 1 : 0)
            let isAny = rest.hasPrefix("in:")
            if !isAny, rest.contains(",") {
                throw CloudError.badRequest(
                    """
                    Multiple values for 'member_of' must be prefixed with the 'in:' or '!in:' keyword using the valid microversion. \
                    Got: \(value.prefix(255))
                    """)
            }
            let ids = isAny ? rest.dropFirst(3).split(separator: ",", omittingEmptySubsequences: false).map(String.init) : [String(rest)]
            for id in ids where UUIDText.normal(id) == nil {
                throw CloudError.badRequest(
                    "Invalid query string parameters: Expected 'member_of' parameter to contain valid UUID(s). Got: \(id.prefix(64))")
            }
            if isForbidden {
                guard minor >= 32 else {
                    throw CloudError.badRequest(
                        "Forbidden member_of\(suffix) parameters are not supported in the specified microversion")
                }
                filter.forbidden.formUnion(ids)
            } else {
                filter.required.append(Set(ids))
            }
        }
        return filter
    }

    static func tree(_ value: String) throws -> ID<Kind.Provider> {
        let id = words(value).joined(separator: ",")
        guard UUIDText.normal(id) != nil else {
            throw CloudError.badRequest(
                "Invalid query string parameters: Expected 'in_tree' parameter to be a format of uuid. Got: \(value.prefix(64))")
        }
        return ID(id)
    }

    static func words(_ text: some StringProtocol) -> [String] {
        text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            String(part.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
        }
    }
}
