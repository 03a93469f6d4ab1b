import CloudCore
import HTTPKit
import Resources
import SQL
import TestSupport
import Testing

@testable import Identity

@Suite struct TrustStoreTests {
    /// Runs the body with users Ann, Ben and Cat of one domain. Ann trusts Ben, Ben redelegates to Cat, and Cat to Ann.
    private func withChain(_ kind: DatabaseKind, _ body: @escaping @Sendable (Transaction) throws -> Void) async throws {
        try await TestDatabase.withDatabase(kind, schemas: [IdentityAssembly.schema]) { test in
            try await test.database.write { tx in
                var domain = Domain()
                domain.id = .standard
                domain.name = "Default"
                try ResourceStore<Domain>().insert(domain, in: tx)
                for name in ["ann", "ben", "cat"] {
                    var user = User()
                    user.id = ID(name)
                    user.name = name
                    user.domainID = domain.id
                    try ResourceStore<User>().insert(user, in: tx)
                }
                var source: ID<Kind.Trust>?
                for (id, trustor, trustee) in [("1", "ann", "ben"), ("2", "ben", "cat"), ("3", "cat", "ann")] {
                    var trust = Trust()
                    trust.id = ID(id)
                    trust.trustorID = ID(trustor)
                    trust.trusteeID = ID(trustee)
                    trust.redelegationCount = 1
                    trust.remainingUses = 1
                    trust.redelegatedTrustID = source
                    trust.roleIDs = [ID("reader"), ID("member")]
                    try TrustStore().insert(trust, in: tx)
                    source = trust.id
                }
            }
            try await test.database.write(body)
        }
    }

    @Test(arguments: DatabaseKind.allCases) func aChainIsFoundUpAndDown(kind: DatabaseKind) async throws {
        try await withChain(kind) { tx in
            let store = TrustStore()
            let last = try #require(try store.find(ID("3"), in: tx))
            #expect(last.roleIDs == [ID("reader"), ID("member")])
            #expect(try store.chain(from: last, in: tx).map(\.id.text) == ["3", "2", "1"])
            #expect(try store.below(ID("1"), in: tx).map(\.text) == ["2", "3"])
            #expect(try store.below(ID("3"), in: tx).map(\.text) == [])
        }
    }

    @Test(arguments: DatabaseKind.allCases) func deletingATrustDeletesThoseBelowIt(kind: DatabaseKind) async throws {
        try await withChain(kind) { tx in
            try TrustStore().rows.delete(ID("2"), in: tx)
            #expect(try TrustStore().rows.all(in: tx).map(\.id.text) == ["1"])
            let roles: Int? = try tx.value("SELECT count(*) FROM identity_trust_role")
            #expect(roles == 2)
        }
    }

    @Test(arguments: DatabaseKind.allCases) func deletingAUserDeletesTheirChains(kind: DatabaseKind) async throws {
        try await withChain(kind) { tx in
            try ResourceStore<User>().delete(ID("ben"), in: tx)
            #expect(try TrustStore().rows.all(in: tx).isEmpty)
        }
    }

    @Test(arguments: DatabaseKind.allCases) func usesAreCountedDownToZero(kind: DatabaseKind) async throws {
        try await withChain(kind) { tx in
            let store = TrustStore()
            let uses = (try store.use(ID("1"), in: tx), try store.use(ID("1"), in: tx))
            #expect(uses == (true, false))
            let left = try store.find(ID("1"), in: tx)
            #expect(left?.remainingUses == 0)
        }
    }

    @Test(arguments: DatabaseKind.allCases) func aNonceIsAcceptedOnce(kind: DatabaseKind) async throws {
        try await TestDatabase.withDatabase(kind, schemas: [IdentityAssembly.schema]) { test in
            func request(_ nonce: String, _ seconds: Int) throws -> OAuthRequest {
                try OAuthRequest(
                    method: "POST", url: "http://a/", query: .none, form: .none,
                    authorization: """
                        OAuth oauth_consumer_key="a", oauth_signature="x", oauth_nonce="\(nonce)", oauth_timestamp="\(seconds)", \
                        oauth_signature_method="HMAC-SHA1"
                        """)
            }
            let (first, other, later) = (try request("n", 1000), try request("m", 1000), try request("n", 1001))
            try await test.database.write { tx in
                let store = OAuthStore()
                #expect(try store.remember(first, in: tx))
                #expect(try !store.remember(first, in: tx))
                #expect(try store.remember(other, in: tx))
                #expect(try store.remember(later, in: tx))
                try store.prune(at: Timestamp(seconds: 1301), in: tx)
                #expect(try store.remember(first, in: tx), "its time is not taken any more")
                #expect(try !store.remember(later, in: tx))
            }
        }
    }
}
