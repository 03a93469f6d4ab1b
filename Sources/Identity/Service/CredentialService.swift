import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// The credentials of users. Their blobs are sealed in the database, and are opened for callers who may see them.
struct CredentialService: IdentityService {
    typealias R = Credential

    let identity: IdentityContext

    static func target(_ credential: Credential) -> PolicyTarget {
        [
            "target.credential.id": credential.id.text, "target.credential.user_id": credential.userID.text,
            "target.credential.type": credential.type,
        ]
    }

    func conflict(with credential: Credential) -> CloudError { .conflict("A credential of that access key exists already.") }

    /// Throws if the token is delegated. A token with a part of a user's rights must neither read nor create a secret
    /// that gives all of them (CVE-2020-12689, CVE-2020-12691).
    ///
    /// - Throws: `CloudError.forbidden` for a delegated token.
    static func requireUndelegated(_ caller: Principal) throws {
        guard !caller.isDelegated else { throw CloudError.forbidden("Delegated tokens cannot access credentials directly.") }
    }

    // MARK: Create, change, delete

    func complete(_ credential: inout Credential, _ given: Given<Credential>, by caller: Principal) throws {
        if credential.isEC2 {
            guard credential.projectID?.text.isEmpty == false else {
                throw Shape.wrong("credential", "'project_id' is a required property of an ec2 credential")
            }
            credential.id = try EC2Key(blob: credential.blob).id
        }
        credential = try sealed(credential)
    }

    func willCreate(_ credential: inout Credential, _ given: Given<Credential>, by caller: Principal, in tx: Transaction) throws {
        try Self.requireUndelegated(caller)
        guard try UserStore().exists(credential.userID, in: tx) else {
            throw CloudError.badRequest("Could not find user: \(credential.userID).")
        }
        try requireRoom(for: credential.userID, in: tx)
    }

    /// Throws if the user has too many credentials. Their number is bounded because each wrong passcode is compared
    /// with all secrets of its user.
    ///
    /// - Throws: `CloudError.forbidden` if the user has as many credentials as allowed.
    func requireRoom(for user: ID<Kind.User>, in tx: Transaction) throws {
        try IdentityContext.requireRoom(
            CredentialStore().count(of: user, in: tx), most: identity.settings.credentialsPerUser, "credentials")
    }

    func update(
        _ id: ID<Credential>, _ body: JSONObject, if condition: @escaping Condition<Credential>, by caller: Principal
    ) async throws -> Shown<Credential> {
        let blob = try Credential.changes.parse(body, inside: "credential")
        let old = try await get("update", id, by: caller)
        var new = old
        new.blob = blob
        if new.isEC2 {
            // Without its restriction, the key would give all of the user's rights (CVE-2020-12691).
            guard try EC2Key(blob: new.blob).restriction == EC2Key(blob: old.blob).restriction else {
                throw CloudError.badRequest("What an ec2 credential is restricted to cannot be changed.")
            }
        }
        let made = try sealed(new)
        return try await context.write { tx in
            let present = try authorised("update", id, by: caller, in: tx)
            guard present.sealedBlob == old.sealedBlob else {
                throw CloudError.conflict("The credential was changed by somebody else at the same time.")
            }
            try store.update(made, in: tx)
            return Shown(rows: [made])
        }
    }

    func willDelete(_ credential: Credential, by caller: Principal, in tx: Transaction) throws {
        try Self.requireUndelegated(caller)
    }

    // MARK: Read

    func get(_ id: ID<Credential>, by caller: Principal) async throws -> Shown<Credential> {
        Shown(rows: [try await get("get", id, by: caller)])
    }

    private func get(_ verb: String, _ id: ID<Credential>, by caller: Principal) async throws -> Credential {
        try await open(
            context.read { tx in
                let credential = try authorised(verb, id, by: caller, in: tx)
                try Self.requireUndelegated(caller)
                return credential
            })
    }

    func list(_ query: Query, by caller: Principal) async throws -> Shown<Credential> {
        try context.policy.require(.listCredentials, caller, listTarget(query, by: caller))
        let asked = try Credential.schema.query(from: query)
        let page = try await context.read { tx in
            var list = asked
            try narrow(&list, query, by: caller, in: tx)
            let page = try store.page(list, in: tx)
            let seen = page.rows.filter { context.policy.allows(.getCredential, caller, Self.target($0)) }
            return (rows: seen, hasMore: page.hasMore)
        }
        var opened: [Credential] = []
        for credential in page.rows { opened.append(try await open(credential)) }
        var shown = Shown(rows: opened)
        shown.hasMore = page.hasMore
        return shown
    }

    /// Returns the target of a list. Any caller may list their own credentials.
    func listTarget(_ query: Query, by caller: Principal) -> PolicyTarget {
        caller.isSystemScoped ? [:] : ["target.credential.user_id": caller.userID.text]
    }

    /// A caller who may not see every credential sees only their own, whatever the query's filters (CVE-2019-19687). A
    /// delegated token sees none.
    func narrow(_ list: inout ListQuery, _ query: Query, by caller: Principal, in tx: Transaction) throws {
        if caller.isDelegated { list.raw.append(("1 = 0", [])) }
        if !context.policy.allows(.getCredential, caller) { list.filter("user_id", .equals, caller.userID) }
    }

    // MARK: Sealing

    private static func label(_ id: ID<Credential>) -> String { "credential/\(id)" }

    /// Returns the credential as it is stored, with its blob sealed.
    func sealed(_ credential: Credential) throws -> Credential {
        var credential = credential
        let (keyID, box) = try identity.keyring.seal(Array(credential.blob.utf8), .secret, context: Self.label(credential.id))
        credential.keyID = keyID
        credential.sealedBlob = box
        return credential
    }

    func open(_ credential: Credential) async throws -> Credential {
        let bytes = try await identity.keyring.open(
            credential.sealedBlob, keyID: credential.keyID, .secret, context: Self.label(credential.id))
        guard let bytes else { throw CloudError.internalError("the blob of credential \(credential.id) cannot be opened") }
        var credential = credential
        credential.blob = String(decoding: bytes, as: UTF8.self)
        return credential
    }
}
