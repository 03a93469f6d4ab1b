import CloudCore
import HTTPKit
import HTTPTypes
import Resources

/// The route `GET /allocation_candidates`, from 1.10 on.
struct CandidateRoutes: Sendable {
    let maker: RouteMaker<PlacementCall>
    let candidates: CandidateService

    var all: [Route] {
        [
            maker.route(.get, "/allocation_candidates", .listCandidates, since: 10) { call in
                let request = try CandidateWire.request(call)
                let (found, index) = try await candidates.candidates(request)
                let now = candidates.context.world.now
                return try await Elsewhere.run(ifLong: found.requests.count >= Elsewhere.longFromOfSmall) {
                    Self.answer(found, index, request, call.minor, now)
                }
            }
        ]
    }

    private static func answer(
        _ found: Candidates, _ index: ProviderIndex, _ request: CandidateRequest, _ minor: Int, _ now: Timestamp
    ) -> Answer {
        .json(modified: now) { json in
            json.array("allocation_requests", of: found.requests) { json, candidate in
                json.object { write(candidate, index, minor, &$0) }
            }
            let shown = minor >= 27 ? nil : Set(request.groups.flatMap { $0.resources.map(\.resourceClass) })
            json.object("provider_summaries") { json in
                for place in found.summaries {
                    json.object(dynamic: index.id(place).text) { write(place, index, shown, minor, &$0) }
                }
            }
        }
    }

    private static func write(_ candidate: Candidate, _ index: ProviderIndex, _ minor: Int, _ json: inout JSONWriter) {
        var places: [Int] = []
        for amount in candidate.amounts where !places.contains(amount.place) { places.append(amount.place) }
        func resources(of place: Int, _ json: inout JSONWriter) {
            json.object("resources") { json in
                for amount in candidate.amounts where amount.place == place {
                    json.key(dynamic: index.classes[amount.resourceClass])
                    json.integer(amount.amount)
                }
            }
        }
        func id(_ place: Int) -> String { index.id(place).text }
        guard minor >= 12 else {
            return json.array("allocations", of: places) { json, place in
                json.object { json in
                    json.object("resource_provider") { $0.member("uuid", id(place)) }
                    resources(of: place, &json)
                }
            }
        }
        json.object("allocations") { json in
            for place in places { json.object(dynamic: id(place)) { resources(of: place, &$0) } }
        }
        guard minor >= 34 else { return }
        json.object("mappings") { json in
            for (suffix, places) in candidate.mappings { json.array(dynamic: suffix, of: places) { $0.string(id($1)) } }
        }
    }

    /// Writes the summary of a provider.
    ///
    /// - Parameter shown: the classes to show; nil for all.
    private static func write(
        _ place: Int, _ index: ProviderIndex, _ shown: Set<String>?, _ minor: Int, _ json: inout JSONWriter
    ) {
        let tree = index.tree(ProviderIndex.slot(place))
        let member = tree.members[ProviderIndex.position(place)]
        json.object("resources") { json in
            for stock in member.stocks where shown?.contains(index.classes[stock.resourceClass]) ?? true {
                json.object(dynamic: index.classes[stock.resourceClass]) { json in
                    json.member("capacity", stock.capacity)
                    json.member("used", stock.used)
                }
            }
        }
        if minor >= 17 { json.array("traits", of: index.traitNames(of: member)) { $0.string($1) } }
        if minor >= 29 {
            json.member("parent_provider_uuid", member.parentID)
            json.member("root_provider_uuid", tree.members[0].id)
        }
    }
}
