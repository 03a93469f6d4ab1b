import CloudCore
import HTTPKit

/// The query of `GET /allocation_candidates`, by microversion.
enum CandidateWire {
    private static let words = ["resources", "required", "member_of", "in_tree"]

    static func shape(_ minor: Int) -> Shape {
        let groups = minor < 25 ? [] : words.prefix(minor >= 31 ? 4 : 3)
        return .object(
            [
                .init("limit", .string(1...Int.max, .positive), since: 16), .init("resources", .any, required: true, until: 24),
                .init("required", .any, since: 17, until: 24), .init("member_of", .any, since: 21, until: 24),
                .init("group_policy", .oneOf(["none", "isolate"]), since: 25), .init("root_required", .any, since: 35),
                .init("same_subtree", .any, since: 36),
            ], matching: groups.map { (.group($0, named: minor >= 33), .any) })
    }

    static func request(_ call: PlacementCall) throws -> CandidateRequest {
        try call.query(shape(call.minor))
        var request = CandidateRequest(groups: [])
        request.knowsTrees = call.minor >= 29
        request.limit = call.all("limit").first.map { Int($0) ?? .max }
        request.root = try root(call.all("root_required"))
        for value in call.all("same_subtree") {
            let suffixes = Set(SearchWire.words(value))
            if suffixes.contains("") {
                throw CloudError.badRequest(
                    "Empty string (unsuffixed group) can not be specified in `same_subtree`", code: PlacementCode.badValue)
            }
            request.sameSubtrees.append(suffixes)
        }
        request.groups = try groups(call)
        try check(request.groups, request.sameSubtrees, call.minor)
        let policy = call.all("group_policy").first
        request.isolates = policy == "isolate"
        if policy == nil, request.groups.count(where: \.isGranular) > 1 {
            throw CloudError.badRequest(
                "The \"group_policy\" parameter is required when specifying more than one \"resources{N}\" parameter.")
        }
        return request
    }

    private static func root(_ values: [String]) throws -> TraitFilter {
        guard let value = values.first else { return TraitFilter() }
        guard values.count == 1 else {
            throw CloudError.badRequest("Query parameter 'root_required' may be specified only once.", code: PlacementCode.duplicateKey)
        }
        let filter = try SearchWire.traits(value, allowsForbidden: true, allowsAny: false)
        let both = filter.required.reduce(into: Set()) { $0.formUnion($1) }.intersection(filter.forbidden)
        if !both.isEmpty {
            throw CloudError.badRequest(
                "Conflicting required and forbidden traits found in root_required: \(both.sorted().joined(separator: ", "))",
                code: PlacementCode.badValue)
        }
        return filter
    }

    /// Returns the groups in the order of their first parameters.
    private static func groups(_ call: PlacementCall) throws -> [RequestGroup] {
        var groups: [RequestGroup] = []
        for (name, value) in call.call.query.items {
            // None of the words is the beginning of another.
            guard let word = words.first(where: { TextFormat.group($0, named: call.minor >= 33).allows(name) }) else { continue }
            let suffix = String(name.dropFirst(word.count))
            let at = groups.firstIndex { $0.suffix == suffix } ?? groups.count
            if at == groups.count { groups.append(RequestGroup(suffix: suffix)) }
            switch word {
            case "resources": groups[at].resources = try SearchWire.resources(value)
            case "required": groups[at].traits = try SearchWire.traits(call.all(name), call.minor)
            case "member_of": groups[at].aggregates = try SearchWire.aggregates(call.all(name), suffix: suffix, call.minor)
            default: groups[at].tree = try SearchWire.tree(value)
            }
        }
        return groups
    }

    private static func check(_ groups: [RequestGroup], _ subtrees: [Set<String>], _ minor: Int) throws {
        if minor >= 36 {
            try checkResourceless(groups, subtrees.reduce(into: Set()) { $0.formUnion($1) })
        } else {
            try checkOrphans(groups)
        }
        guard minor >= 22 else { return }
        let conflicts = groups.flatMap { group in
            group.traits.required.filter { $0.isSubset(of: group.traits.forbidden) }
                .map { "required\(group.suffix): (\($0.sorted().joined(separator: ", ")))" }
        }
        if !conflicts.isEmpty {
            throw CloudError.badRequest(
                "Conflicting required and forbidden traits found in the following traits keys: "
                    + conflicts.sorted().joined(separator: ", "))
        }
    }

    private static func checkResourceless(_ groups: [RequestGroup], _ inSubtrees: Set<String>) throws {
        let empty = groups.filter(\.resources.isEmpty).map(\.suffix)
        if empty.count == groups.count {
            throw CloudError.badRequest(
                "There must be at least one resources or resources[$S] parameter.", code: PlacementCode.missingValue)
        }
        let loose = empty.filter { !inSubtrees.contains($0) }
        if !loose.isEmpty {
            throw CloudError.badRequest(
                """
                Resourceless suffixed group request should be specified in `same_subtree` query param: bad group(s) - \
                \(loose.joined(separator: ", ")).
                """, code: PlacementCode.badValue)
        }
        let unknown = inSubtrees.subtracting(groups.map(\.suffix)).sorted()
        if !unknown.isEmpty {
            throw CloudError.badRequest(
                """
                Real suffixes should be specified in `same_subtree`: \(unknown.joined(separator: ", ")) not found in \
                \(groups.map(\.suffix).joined(separator: ", ")).
                """, code: PlacementCode.badValue)
        }
    }

    private static func checkOrphans(_ groups: [RequestGroup]) throws {
        let orphans = groups.filter(\.resources.isEmpty)
        let traits = orphans.filter { !$0.traits.required.isEmpty }.map { "required\($0.suffix)" }
        if !traits.isEmpty {
            throw CloudError.badRequest(
                "All traits parameters must be associated with resources.  Found the following orphaned traits keys: "
                    + traits.joined(separator: ", "))
        }
        let members = orphans.filter { !$0.aggregates.required.isEmpty || !$0.aggregates.forbidden.isEmpty }.map { "member_of\($0.suffix)" }
        if !members.isEmpty {
            throw CloudError.badRequest(
                "All member_of parameters must be associated with resources. Found the following orphaned member_of keys: "
                    + members.joined(separator: ", "))
        }
        if !orphans.isEmpty { throw CloudError.badRequest("All request groups must specify resources.") }
        if groups.isEmpty {
            throw CloudError.badRequest("At least one request group (`resources` or `resources{$S}`) is required.")
        }
    }
}
