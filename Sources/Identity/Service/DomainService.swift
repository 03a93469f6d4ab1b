import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// The domains: projects that act as a domain.
struct DomainService: IdentityService {
    typealias R = Domain

    let identity: IdentityContext

    func conflict(with domain: Domain) -> CloudError { .conflict("A domain named '\(domain.name)' exists already.") }

    static func target(_ domain: Domain) -> PolicyTarget {
        ["target.domain.id": domain.id.text, "target.domain_id": domain.id.text]
    }

    func complete(_ domain: inout Domain, _ given: Given<Domain>, by caller: Principal) throws {
        if let chosen = given.chosenID {
            guard Hex.bytes(chosen) != nil, chosen == chosen.lowercased() else {
                throw Shape.wrong("domain/explicit_domain_id", "it must be 32 hexadecimal digits")
            }
            domain.id = ID(chosen)
        }
        domain.name = domain.name.trimmed
        domain.options = domain.options.withoutNulls
    }

    /// Restricts the list to domains. Projects are in the same table.
    func narrow(_ list: inout ListQuery, _ query: Query, by caller: Principal, in tx: Transaction) throws {
        list.filter("is_domain", .equals, true)
        if let domain = caller.domainID { list.filter("id", .equals, domain) }
        try TagFilter.apply(query, to: &list)
    }

    func listTarget(_ query: Query, by caller: Principal) -> PolicyTarget {
        caller.domainID.map { ["target.domain.id": $0.text, "target.domain_id": $0.text] } ?? [:]
    }

    func willUpdate(
        _ domain: inout Domain, from old: Domain, _ given: Given<Domain>, by caller: Principal, in tx: Transaction
    ) throws {
        guard old.isDomain else { throw CloudError.notFound("domain", old.id.text) }
        domain.name = domain.name.trimmed
        try Immutability.checkUpdate(old.isImmutable, given.has(\.options) ? domain.options : nil, "domain", old.id.text)
        domain.options = domain.options.merged(into: old.options)
        if old.isEnabled, !domain.isEnabled {
            var event = Revocation(id: context.world.random.hexID(), at: context.world.now)
            event.domainID = old.id
            try RevocationStore().insert(event, in: tx)
        }
    }

    func willDelete(_ domain: Domain, by caller: Principal, in tx: Transaction) throws {
        guard domain.isDomain else { throw CloudError.notFound("domain", domain.id.text) }
        try Immutability.checkDelete(domain.isImmutable, "domain", domain.id.text)
        guard !domain.isEnabled else {
            throw CloudError.forbidden("Cannot delete a domain that is enabled, please disable it first.")
        }
        guard domain.id != .standard else { throw CloudError.forbidden("The default domain cannot be deleted.") }
        try Removal().contents(of: domain.id, in: tx)
    }
}
