import CloudCore
import HTTPKit
import Resources

/// A secret that a user stores here to prove their identity by other means: an EC2 key, a TOTP seed, or a secret whose
/// format only its reader knows.
struct Credential: Resource {
    var id: ID<Credential> = ID("")
    var userID: ID<Kind.User> = ID("")
    var projectID: ID<Kind.Project>?
    var type = ""
    /// The secret itself. It is empty until the service has opened `sealedBlob` for a caller who may see it.
    var blob = ""
    var sealedBlob: [UInt8] = []
    var keyID = ""
    var extra: JSONObject = [:]

    static let schema = ResourceSchema<Credential>(
        "credential", "credentials", table: "identity_credential", open: true,
        [
            Field("id", \.id, .any, create: .unknown, update: .fixed),
            Field("user_id", \.userID, .string(1...64), create: .required, update: .fixed, filter: .exact),
            Field("project_id", \.projectID, .nullable(.string(0...64)), update: .fixed),
            Field("type", \.type, .string(1...255), create: .required, update: .fixed, filter: .text),
            Field(unstored: "blob", \.blob, .text, create: .required),
            Field(own: "sealed_blob", \.sealedBlob, shown: .never),
            Field(own: "key_id", \.keyID, shown: .never),
        ])

    /// The form of a change. Only the blob can change: another type, owner or project needs another credential.
    static let changes = Form.object("", [.required("blob", \.self, .string(0...65_535))])

    var isEC2: Bool { type.lowercased() == Self.ec2 }

    static let ec2 = "ec2"
}
