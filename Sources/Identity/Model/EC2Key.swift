import CloudCore
import Crypto
import Resources

/// The content of the blob of an `ec2` credential: a pair of keys, and the restriction of the user's rights that it
/// has.
struct EC2Key: Sendable {
    /// The delegation that the key was made with. The key gives no more rights than the delegation does.
    struct Restriction: Sendable, Equatable {
        var trustID: ID<Kind.Trust>?
        var applicationCredentialID: ID<Kind.ApplicationCredential>?
        var accessTokenID: ID<AccessToken>?

        var count: Int { [trustID?.text, applicationCredentialID?.text, accessTokenID?.text].compactMap { $0 }.count }
    }

    var access: String
    var secret: Secret
    var restriction = Restriction()

    init(access: String, secret: Secret) {
        self.access = access
        self.secret = secret
    }

    /// Reads a blob.
    ///
    /// - Throws: `CloudError.badRequest` for a blob that is no JSON object with an `access`.
    init(blob: String) throws {
        guard let json = try? JSON.parse(blob) else { throw CloudError.badRequest("Invalid blob in credential: it is no JSON.") }
        guard let object = json.object, let access = object["access"]?.string, !access.isEmpty else {
            throw CloudError.badRequest("Invalid blob in credential: it must be an object that has an 'access'.")
        }
        for key in ["secret", "trust_id", "app_cred_id", "access_token_id"] {
            guard let value = object[key], !value.isNull, value.string == nil else { continue }
            throw CloudError.badRequest("Invalid blob in credential: '\(key)' must be a string.")
        }
        self.access = access
        secret = Secret(object["secret"]?.string ?? "")
        restriction.trustID = object["trust_id"]?.string.map { ID($0) }
        restriction.applicationCredentialID = object["app_cred_id"]?.string.map { ID($0) }
        restriction.accessTokenID = object["access_token_id"]?.string.map { ID($0) }
    }

    var blob: String {
        JSON.object(["access": .string(access), "secret": .string(secret.reveal()), "trust_id": restriction.trustID.json]).text
    }

    /// The id of the key's credential. It follows from the access key, so the access key alone finds the credential.
    var id: ID<Credential> { Self.id(of: access) }

    static func id(of access: String) -> ID<Credential> { ID(Hex.text(SHA256.hash(data: Array(access.utf8)))) }
}
